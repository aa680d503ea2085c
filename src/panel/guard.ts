/**
 * Decides whether a request to the panel is answered: in this order by its Host, Origin, path, `Sec-Fetch-Site`, key, method, and type
 * and length of its body. A port of 127.0.0.1 is the same site as every other one, so that no cookie and no `SameSite` protects it.
 *
 * @module
 */

/** A path that is answered. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Whether the request has to show the key. Files of the page do not: they are the same for everyone. */
  readonly needsKey: boolean;
}

/** What is looked at of a request. */
export interface RequestHead {
  readonly method: string;
  /** The request's target, as it was sent. */
  readonly target: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
}

/** What a request is compared with. */
export interface GuardRules {
  /** The values of `Host` that mean this server: {@linkcode hostsAt}. */
  readonly hosts: readonly string[];
  /** The key that the owner of the terminal has. */
  readonly key: string;
  readonly routes: ReadonlyMap<string, Route>;
}

/** A request that is not answered. */
export interface Refused {
  readonly status: number;
  /** Why, in a sentence. */
  readonly reason: string;
  /** The methods that the path has, with status 405. */
  readonly allow?: string;
}

/** A request that is answered. */
export interface Admitted {
  readonly route: Route;
  /** The origin that the page has at this address. */
  readonly origin: string;
}

/** The values of `Host` that mean the panel at a port. Browsers leave out the port 80 (RFC 9110 section 4.2.3). */
export function hostsAt(port: number): readonly string[] {
  return ["127.0.0.1", "localhost"].flatMap((name) =>
    port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]
  );
}

/** The longest body that is read, in bytes. */
export const BODY_BYTES: number = 64 * 1024;

/** Judges a request. */
export function judge(head: RequestHead, rules: GuardRules): Admitted | Refused {
  const [host, ...otherHosts] = valuesOf(head, "host");
  if (host === undefined || otherHosts.length > 0 || !rules.hosts.includes(host)) {
    return refuse(421, "The request is for another host than this panel");
  }
  const origin = `http://${host}`;
  if (valuesOf(head, "origin").some((value) => value !== origin)) {
    return refuse(403, "The request comes from another origin");
  }
  const route = rules.routes.get(head.target);
  if (route === undefined) return refuse(404, "There is nothing at this path");
  // A person that types the address, or a terminal that opens it, comes from no site.
  const sites = head.target === "/" ? ["same-origin", "none"] : ["same-origin"];
  if (valuesOf(head, "sec-fetch-site").some((value) => !sites.includes(value))) {
    return refuse(403, "The request comes from another site");
  }
  if (route.needsKey && !showsKey(head, rules.key)) {
    return refuse(
      401,
      "The key is missing or wrong: take the panel's URL again from the terminal in which the gateway runs",
    );
  }
  if (head.method !== route.method) {
    return { ...refuse(405, `The path takes ${route.method}`), allow: route.method };
  }
  return judgeBody(head) ?? { route, origin };
}

function judgeBody(head: RequestHead): Refused | undefined {
  const [length = "0", ...lengths] = valuesOf(head, "content-length");
  if (head.method === "GET") {
    const hasBody = length !== "0" || valuesOf(head, "transfer-encoding").length > 0;
    return hasBody ? refuse(400, "A GET has no body") : undefined;
  }
  const [type = "", ...types] = valuesOf(head, "content-type");
  if (types.length > 0 || !/^application\/json(; ?charset=utf-8)?$/i.test(type)) {
    return refuse(415, "The body has to be application/json");
  }
  if (lengths.length > 0 || !/^\d{1,15}$/.test(length)) {
    return refuse(400, "The length of the body is malformed");
  }
  return Number(length) > BODY_BYTES ? tooLong() : undefined;
}

/** The answer to a body above {@linkcode BODY_BYTES}. */
export function tooLong(): Refused {
  return refuse(413, `The body is longer than ${BODY_BYTES} bytes`);
}

function refuse(status: number, reason: string): Refused {
  return { status, reason };
}

function valuesOf({ rawHeaders }: RequestHead, name: string): string[] {
  return rawHeaders.filter((_, index) =>
    index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name
  );
}

function showsKey(head: RequestHead, key: string): boolean {
  const [shown = "", ...others] = valuesOf(head, "authorization");
  return others.length === 0 && isEqual(shown, `Bearer ${key}`);
}

/** Compares in a time that depends on the length of `expected` alone. */
function isEqual(shown: string, expected: string): boolean {
  let difference = shown.length ^ expected.length;
  for (let i = 0; i < expected.length; i++) {
    // `charCodeAt` gives NaN after the end, which is 0 here.
    difference |= shown.charCodeAt(i) ^ expected.charCodeAt(i);
  }
  return difference === 0;
}
