import { importSigner, parseServiceAccount, signToken } from "@telequick/sdk/token";

const file = new URL("account.json", import.meta.url);
const { Deno, process } = globalThis;
const text = Deno?.readTextFileSync(file) ??
  process.getBuiltinModule("node:fs").readFileSync(file, "utf8");
await signToken(await importSigner(parseServiceAccount(text)));
