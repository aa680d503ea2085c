/**
 * What must never be printed, taken out of text that might be.
 *
 * @module
 */

const ARMOURED = /-----BEGIN[\s\S]*/;
// A compact JWS (RFC 7515 section 7.1) begins with the base64url of `{"`. A run of base64url is looked at once, from its beginning: begun
// again at every `eyJ` in it, a hostile text would cost the square of its length.
const TOKEN = /(?<![\w-])(?=[\w-]+\.)([\w-]*?)eyJ[\w-]*\.[\w-]*\.?[\w-]*/g;

/** Replaces whatever looks like a token or an armoured key. */
export function redactSecrets(text: string): string {
  return text.replace(ARMOURED, "[redacted]").replace(TOKEN, "$1[redacted]");
}
