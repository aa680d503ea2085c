import { importPKCS8, SignJWT } from "jose";

const file = new URL("account.json", import.meta.url);
const { Deno, process } = globalThis;
const text = Deno?.readTextFileSync(file) ??
  process.getBuiltinModule("node:fs").readFileSync(file, "utf8");
const { tenant_id, private_key, private_key_id: kid } = JSON.parse(text);
await new SignJWT({ iss: "telequick-sdk", sub: tenant_id }).setIssuedAt().setExpirationTime("1h")
  .setProtectedHeader({ alg: "RS256", typ: "JWT", kid })
  .sign(await importPKCS8(private_key, "RS256"));
