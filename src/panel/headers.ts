/**
 * Headers of every answer of the panel. There is no CORS header: no other origin is given anything.
 *
 * @module
 */

/**
 * The headers.
 *
 * @param endpoints What the page may connect to besides its own origin: the gateway's address.
 */
export function securityHeaders(endpoints: readonly string[]): Readonly<Record<string, string>> {
  return {
    "content-security-policy": [
      "default-src 'none'",
      // The worklet is a file of the same origin: worklets fall under script-src.
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src ${["'self'", ...endpoints].join(" ")}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      // Text from the wire cannot become HTML, even if the page's code tried to make it.
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join("; "),
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), display-capture=()",
    "cache-control": "no-store",
  };
}
