// What WebCrypto costs by itself: nobody's token can be there sooner.
const file = new URL("account.json", import.meta.url);
// Deno makes its `process` when that is first looked at, which takes longer than all the rest.
const text = globalThis.Deno?.readTextFileSync(file) ??
  globalThis.process.getBuiltinModule("node:fs").readFileSync(file, "utf8");
const { tenant_id: sub, private_key, private_key_id: kid } = JSON.parse(text);
const body = atob(private_key.replace(/-----[^-]+-----|\s/g, ""));
const der = Uint8Array.from(body, (letter) => letter.charCodeAt(0));
const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
const base64url = (text) => btoa(text).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
const iat = Math.floor(Date.now() / 1000);
const header = base64url(JSON.stringify({ alg: "RS256", typ: "JWT", kid }));
const claims = { iss: "telequick-sdk", sub, iat, exp: iat + 3600 };
const signed = `${header}.${base64url(JSON.stringify(claims))}`;
const signature = await crypto.subtle.sign(algorithm.name, key, new TextEncoder().encode(signed));
base64url(String.fromCharCode(...new Uint8Array(signature)));
