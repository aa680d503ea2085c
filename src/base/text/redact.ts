/**
 * Takes tokens and keys out of text that can be printed.
 *
 * @module
 */

const ARMOURED = /-----BEGIN[\s\S]*/;
// A compact JWS (RFC 7515 section 7.1) begins with the base64url of `{"`. A run of base64url is scanned once, from its beginning: started
// again at every `eyJ` in it, a hostile text would take time quadratic in its length.
const TOKEN = /(?<![\w-])(?=[\w-]+\.)([\w-]*?)eyJ[\w-]*\.[\w-]*\.?[\w-]*/g;

/** Replaces everything that looks like a token or a PEM key. */
export function redactSecrets(text: string): string {
  return text.replace(ARMOURED, "[redacted]").replace(TOKEN, "$1[redacted]");
}
