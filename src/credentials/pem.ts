/**
 * PEM armour (RFC 7468) as files, environment variables and secret stores leave it behind, down to its DER.
 *
 * @module
 */

import { decodeBase64 } from "../base64.ts";
import { TeleQuickError } from "../errors.ts";

/** Which half of a key pair is being read. */
export type KeyHalf = "private" | "public";

/** Longest text looked at: a 4096-bit key in PEM has 3,300 characters, and base64 around it adds a third. */
const MAX_CHARACTERS = 16_384;

const RSA_KEY =
  "make an RSA key with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";

// Only labels that stand here are ever repeated in a message: anything else could be key text.
const ADVICE: Readonly<Record<string, string>> = {
  "PRIVATE KEY": "take its public half with: openssl pkey -in key.pem -pubout",
  "RSA PRIVATE KEY": "take its public half with: openssl pkey -in key.pem -pubout",
  "PUBLIC KEY": "give the private half of the pair",
  "RSA PUBLIC KEY": "give the private half of the pair",
  "ENCRYPTED PRIVATE KEY": "decrypt it with: openssl pkcs8 -in key.pem -out plain.pem",
  "OPENSSH PRIVATE KEY": "convert a copy with: ssh-keygen -p -N '' -m PKCS8 -f copy.pem",
  "CERTIFICATE":
    "a certificate holds no private key, and a bare public key is expected as the public half",
  "CERTIFICATE REQUEST": "a request is no key",
  "NEW CERTIFICATE REQUEST": "a request is no key",
  "EC PARAMETERS": RSA_KEY,
  "EC PRIVATE KEY": RSA_KEY,
  "DSA PRIVATE KEY": RSA_KEY,
};

/** An error for text that is no sound key at all: cut off, damaged, not PEM. */
export function malformedKey(half: KeyHalf, found: string): TeleQuickError {
  return new TeleQuickError("ERR_CREDENTIALS_INVALID", `Cannot import ${half} key: ${found}`);
}

/** An error for a sound key of a kind that RS256 here does not take. */
export function unsupportedKey(half: KeyHalf, found: string): TeleQuickError {
  return new TeleQuickError("ERR_KEY_UNSUPPORTED", `Cannot import ${half} key: ${found}`);
}

/**
 * Finds the one PEM block in a text and decodes its body.
 *
 * Tolerated: LF, CRLF, a BOM, blank lines, indentation, all on one line, line ends escaped once or more (`\n`, `\r\n`, `\\n`),
 * quotes, text before and after, base64 of the whole.
 *
 * @param text The text; never repeated in an error.
 * @param half Decides which labels are taken: `PRIVATE KEY` and `RSA PRIVATE KEY`, or `PUBLIC KEY` and `RSA PUBLIC KEY`.
 * @returns The DER bytes.
 * @throws `ERR_KEY_UNSUPPORTED` for another label or an encrypted key, `ERR_CREDENTIALS_INVALID` for text that is not one whole block.
 */
export function readPem(text: string, half: KeyHalf): Uint8Array<ArrayBuffer> {
  const wanted = `${half.toUpperCase()} KEY`;
  if (text.length > MAX_CHARACTERS) {
    throw malformedKey(
      half,
      `text has ${text.length} characters, expected at most ${MAX_CHARACTERS}`,
    );
  }
  const plain = unwrap(text);
  const [first, second] = plain.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g);
  if (first === undefined) {
    const found = /^\s*[{["]/.test(text) ? "text is JSON" : "text holds no PEM block";
    throw malformedKey(half, `${found}, expected "-----BEGIN ${wanted}-----"`);
  }
  const label = first[1]!;
  if (label !== wanted && label !== `RSA ${wanted}`) {
    const advice = ADVICE[label];
    throw unsupportedKey(
      half,
      `PEM label is ${advice === undefined ? "unknown" : `"${label}"`}, expected "${wanted}"` +
        (advice === undefined ? "" : ` (${advice})`),
    );
  }
  if (second !== undefined) throw malformedKey(half, "text holds several PEM blocks, expected one");
  const start = first.index + first[0].length;
  const end = plain.indexOf(`-----END ${label}-----`, start);
  if (end < 0) {
    throw malformedKey(half, `PEM block is cut off, expected "-----END ${label}-----"`);
  }
  const body = plain.slice(start, end);
  if (body.includes("ENCRYPTED")) {
    throw unsupportedKey(
      half,
      "PEM block is encrypted, expected a plain key " +
        "(decrypt it with: openssl pkcs8 -topk8 -nocrypt -in key.pem -out plain.pem)",
    );
  }
  const der = decodeBase64(body.replace(/\s/g, ""));
  if (der === undefined) throw malformedKey(half, "PEM body is damaged, expected base64");
  return der;
}

/** Undoes what carried the PEM text: escaped line ends, and base64 of the whole. */
function unwrap(text: string): string {
  if (text.includes("-----BEGIN ")) return text.replace(/\\+[nrt]/g, "\n");
  const inner = decodeBase64(text.replace(/\\+[nrt]|[\s"']/g, ""));
  return inner === undefined ? "" : String.fromCharCode(...inner).replace(/\\+[nrt]/g, "\n");
}

/** Armours DER bytes: a label, lines of 64 characters, a final line end (RFC 7468 section 2). */
export function writePem(base64: string, label: string): string {
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
