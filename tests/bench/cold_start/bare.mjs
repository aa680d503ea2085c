// What WebCrypto costs by itself: no library's token can be there sooner.
export async function firstToken(text) {
  const { tenant_id: sub, private_key, private_key_id: kid } = JSON.parse(text);
  const body = private_key.replace(/-----[^-]+-----|\s/g, "");
  // ECMAScript's own base64 where there is one: `atob` and `btoa` are a module of their own on Deno, which neither library loads.
  const der = Uint8Array.fromBase64?.(body) ??
    Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const base64url = (bytes) =>
    bytes.toBase64?.({ alphabet: "base64url", omitPadding: true }) ??
      btoa(String.fromCharCode(...bytes)).replace(/=+$/, "").replaceAll("+", "-")
        .replaceAll("/", "_");
  const encoder = new TextEncoder();
  const iat = Math.floor(Date.now() / 1000);
  const header = base64url(encoder.encode(JSON.stringify({ alg: "RS256", typ: "JWT", kid })));
  const claims = { iss: "telequick-sdk", sub, iat, exp: iat + 3600 };
  const signed = `${header}.${base64url(encoder.encode(JSON.stringify(claims)))}`;
  const signature = await crypto.subtle.sign(algorithm.name, key, encoder.encode(signed));
  base64url(new Uint8Array(signature));
}
