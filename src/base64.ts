/**
 * base64 and base64url (RFC 4648 sections 4 and 5), strict in both directions: the runtimes' own codecs, behind a check that there
 * is one text for one byte string.
 *
 * @module
 */

/** Encodes bytes as base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  // As arguments of one call, thousands at a time: many times faster than one by one, and no engine takes all of a large array.
  for (let at = 0; at < bytes.length; at += 4096) {
    const slice = bytes.subarray(at, at + 4096) as unknown as number[];
    binary += String.fromCharCode.apply(null, slice);
  }
  return btoa(binary);
}

/** Encodes bytes as base64url without padding (RFC 7515 section 2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
}

interface NativeBase64 {
  fromBase64?: (text: string, options: { alphabet: "base64url" }) => Uint8Array<ArrayBuffer>;
}

// Groups of four letters, then what two bytes or one leave: a last letter whose bits that no byte uses are zero, so that one byte
// string has one text (RFC 4648 section 3.5).
const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** Decodes canonical base64url without padding; `undefined` for anything else (padding, white space, other letters, stray bits). */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!CANONICAL.test(text)) return undefined;
  return (Uint8Array as NativeBase64).fromBase64?.(text, { alphabet: "base64url" }) ??
    toBytes(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
}

/** Decodes canonical base64, padded as RFC 4648 section 4 says or not at all; `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const binary = decode(text);
  const canonical = btoa(binary);
  return text === canonical || text === canonical.replace(/=+$/, "") ? toBytes(binary) : undefined;
}

// atob forgives white space, missing padding and stray bits (WHATWG Infra, forgiving-base64 decode), so what it gives counts only
// when encoding it gives the text back.
function decode(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}

function toBytes(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
