import { importPKCS8, SignJWT } from "jose";

const file = new URL("account.json", import.meta.url);
// Deno makes its `process` when that is first looked at, which takes longer than all the rest.
const text = globalThis.Deno?.readTextFileSync(file) ??
  globalThis.process.getBuiltinModule("node:fs").readFileSync(file, "utf8");
const { tenant_id, private_key, private_key_id: kid } = JSON.parse(text);
await new SignJWT({ iss: "telequick-sdk", sub: tenant_id }).setIssuedAt().setExpirationTime("1h")
  .setProtectedHeader({ alg: "RS256", typ: "JWT", kid })
  .sign(await importPKCS8(private_key, "RS256"));
