import { importSigner, parseServiceAccount, signToken } from "@telequick/sdk/token";

const file = new URL("account.json", import.meta.url);
// Deno makes its `process` when that is first looked at, which takes longer than all the rest.
const text = globalThis.Deno?.readTextFileSync(file) ??
  globalThis.process.getBuiltinModule("node:fs").readFileSync(file, "utf8");
await signToken(await importSigner(parseServiceAccount(text)));
