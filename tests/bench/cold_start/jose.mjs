import { importPKCS8, SignJWT } from "jose";

export async function firstToken(text) {
  const { tenant_id, private_key, private_key_id: kid } = JSON.parse(text);
  await new SignJWT({ iss: "telequick-sdk", sub: tenant_id }).setIssuedAt().setExpirationTime("1h")
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid })
    .sign(await importPKCS8(private_key, "RS256"));
}
