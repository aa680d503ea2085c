// A process of its own. `ours.mjs` stands for the program that is measured.
import { firstToken } from "./ours.mjs";

const file = new URL("account.json", import.meta.url);
// Deno makes its `process` when that is first looked at, which takes longer than all the rest.
const text = globalThis.Deno?.readTextFileSync(file) ??
  globalThis.process.getBuiltinModule("node:fs").readFileSync(file, "utf8");
await firstToken(text);
