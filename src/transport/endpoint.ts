import { TeleQuickError } from "../base/errors.ts";

const DEFAULT_PORT = "9090";
const LONGEST_ENDPOINT = 2048;
const EXPECTED = `expected "https://host:${DEFAULT_PORT}" or "quic://host:${DEFAULT_PORT}"`;

function refuse(found: string): never {
  // The text itself is not quoted: a token or a password may have ended up in it.
  throw new TeleQuickError("ERR_ENDPOINT_INVALID", `Cannot use endpoint: ${found}, ${EXPECTED}`);
}

/**
 * Reads an endpoint: `https://host:port`, or `quic://host:port`, which means the same.
 * Touches nothing but the text: what is refused is refused before any packet leaves.
 *
 * @param endpoint The text. The port is 9090 when absent; a path and a query are kept.
 * @returns An `https:` URL.
 * @throws {TypeError} When it is not a string.
 * @throws {TeleQuickError} `ERR_ENDPOINT_INVALID` for another scheme, a user name or password, a fragment, no host, or no URL at all.
 */
export function parseEndpoint(endpoint: string): URL {
  if (typeof endpoint !== "string") {
    throw new TypeError(`Cannot use endpoint: it is ${describeType(endpoint)}, expected a string`);
  }
  if (endpoint.length > LONGEST_ENDPOINT) {
    refuse(`it is ${endpoint.length} characters long, at most ${LONGEST_ENDPOINT} are taken`);
  }
  if (endpoint === "") refuse("it is empty");
  // URL parsers drop tabs and line breaks, trim blanks, and read "\" as "/": none of that belongs in an endpoint.
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0020\u007f\\]/.test(endpoint)) {
    refuse("it holds a blank, a control character or a backslash");
  }
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(endpoint)?.[0].toLowerCase();
  if (scheme === undefined) refuse("it has no scheme");
  if (scheme !== "https:" && scheme !== "quic:") refuse(`its scheme is "${scheme.slice(0, 32)}"`);
  const rest = endpoint.slice(scheme.length);
  if (!rest.startsWith("//")) refuse(`"//" does not follow its scheme`);
  const authority = /^[^/?#]*/.exec(rest.slice(2))?.[0] ?? "";
  if (authority === "" || authority.startsWith(":")) refuse("its host is empty");
  if (authority.includes("@")) refuse("it holds a user name or password");
  if (rest.includes("#")) refuse("it holds a fragment");
  let url: URL;
  try {
    url = new URL(`https:${rest}`);
  } catch {
    return refuse("it is not a valid URL");
  }
  if (!/:\d+$/.test(authority)) url.port = DEFAULT_PORT;
  return checkPort(url);
}

/**
 * Checks a URL that is not read from text: scheme, user info, fragment and port, as {@linkcode parseEndpoint} does.
 * A URL without a port means 443, as everywhere else.
 */
export function checkEndpoint(endpoint: URL): URL {
  if (!(endpoint instanceof URL)) {
    throw new TypeError(
      `Cannot use endpoint: it is ${describeType(endpoint)}, expected a string or a URL`,
    );
  }
  const url = new URL(endpoint);
  if (url.protocol !== "https:") refuse(`its scheme is "${url.protocol.slice(0, 32)}"`);
  if (url.username !== "" || url.password !== "") refuse("it holds a user name or password");
  if (url.href.includes("#")) refuse("it holds a fragment");
  return checkPort(url);
}

function checkPort(url: URL): URL {
  if (url.port === "0") refuse("its port is 0");
  return url;
}

/** How an endpoint is named in messages: without its query, which may hold a token. */
export function endpointName(url: URL): string {
  const path = url.pathname === "/" ? "" : url.pathname;
  return `https://${url.hostname}:${url.port || "443"}${path}`;
}

function describeType(value: unknown): string {
  return value === null ? "null" : typeof value;
}
