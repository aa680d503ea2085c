/**
 * PEM armour (RFC 7468) as files, environment variables and secret stores leave it behind, down to its DER.
 *
 * @module
 */

import { decodeForgiving } from "../base/base64.ts";
import { TeleQuickError } from "../base/errors.ts";

/** Which half of a key pair is being read. */
export type KeyHalf = "private" | "public";

/** The body of a PEM block. */
export interface PemBlock {
  /** Whether the label says PKCS#1 (`RSA PRIVATE KEY`), not PKCS#8 or SPKI. */
  readonly isPkcs1: boolean;
  /** The body. */
  readonly der: Uint8Array<ArrayBuffer>;
}

/** Longest text looked at: a 4096-bit key in PEM has 3,300 characters, and base64 around it adds a third. */
const MAX_CHARACTERS = 10_000;

/** Refuses a key; the error quotes nothing of it. Default code: the text is not an intact key. */
export function refuseKey(
  half: KeyHalf,
  found: string,
  code: "ERR_CREDENTIALS_INVALID" | "ERR_KEY_UNSUPPORTED" = "ERR_CREDENTIALS_INVALID",
): never {
  throw new TeleQuickError(code, `Cannot import ${half} key: ${found}`);
}

/**
 * Finds the one PEM block in a text and decodes its body.
 *
 * Tolerated: LF, CRLF, a BOM, blank lines, indentation, all on one line, line ends escaped once or more (`\n`, `\r\n`, `\\n`),
 * quotes, text before and after, base64 of the whole.
 *
 * @param text The text; an error repeats nothing of it but a label, which is capitals and digits.
 * @param half Decides which labels are accepted: `PRIVATE KEY` and `RSA PRIVATE KEY`, or `PUBLIC KEY` and `RSA PUBLIC KEY`.
 * @throws `ERR_KEY_UNSUPPORTED` for another label or an encrypted key, `ERR_CREDENTIALS_INVALID` for text that is not one whole block.
 */
export function readPem(text: string, half: KeyHalf): PemBlock {
  const wanted = `${half.toUpperCase()} KEY`;
  const armour = text.includes("-") ? text : decodeWhole(text);
  const [[, label, body = ""] = [], another] = armour.slice(0, MAX_CHARACTERS)
    .matchAll(/-----BEGIN ([A-Z0-9 ]{1,32})-----([^]*?)-----END \1-----/g);
  const isPkcs1 = label === `RSA ${wanted}`;
  const isEncrypted = /ENCRYPTED/.test(label + body);
  if (isEncrypted || !(isPkcs1 || label === wanted || label === undefined)) {
    const advice = isEncrypted
      ? ` (decrypt it with: openssl ${isPkcs1 ? "pkey" : "pkcs8"} -in key.pem -out plain.pem)`
      : "";
    refuseKey(
      half,
      `PEM label is "${label}"${isPkcs1 ? ", encrypted" : ""}, expected "${wanted}"${advice}`,
      "ERR_KEY_UNSUPPORTED",
    );
  }
  if (label === undefined) {
    const found = armour.includes("-----BEGIN")
      ? "PEM block has no matching END line (is the text cut off?)"
      : "text has no PEM block";
    refuseKey(half, `${found}, expected one "${wanted}"`);
  }
  if (another !== undefined) {
    refuseKey(half, `text has several PEM blocks, expected one "${wanted}"`);
  }
  // Without bytes the reader of the DER refuses the key.
  return { isPkcs1, der: decodeForgiving(withoutCarriers(body)) ?? new Uint8Array() };
}

/** Base64 without what carriers leave in it besides white space: quotes, line ends escaped once or more. */
function withoutCarriers(text: string): string {
  return text.replace(/\\+[nr]|["']/g, "");
}

/** The text of which this is the base64; an empty one for anything else. */
function decodeWhole(text: string): string {
  try {
    return atob(withoutCarriers(text));
  } catch {
    return "";
  }
}

/** Armours DER bytes: a label, lines of 64 characters, a final line end (RFC 7468 section 2). */
export function writePem(base64: string, label: string): string {
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
