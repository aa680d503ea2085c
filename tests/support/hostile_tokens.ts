import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { acme, claims, evil, forge, header, NOW, segment, signSegments } from "./tokens.ts";

/** A token that must not open a door, signed by the right key unless its name says otherwise. */
export interface HostileToken {
  readonly name: string;
  readonly token: string;
  /** Why it is refused here, for those that a careful verifier of the general kind takes. */
  readonly why: string;
}

const good = forge();
const [first = "", second = "", third = ""] = good.split(".");
const body = JSON.stringify(claims).slice(1, -1);
const jwk = evil.publicKey.export({ format: "jwk" });

const BROUGHT = "it could bring a key or make the verifier fetch one, and nothing here needs it";
const EXTENSION = "an extension that is not understood is not ignored";
const TWICE = "two readers of it see two values";
const NUMBER = "a time is a whole number of seconds, or two readers round it differently";
const TENANT = "the tenant is the key's, to the byte";
const SPELLING = "one token has one spelling, so that a list of used or barred ones holds";
const LIFE = "no token lives longer than an hour, and a browser's five minutes";
const SIZE = "what one message may cost has a bound";
const AUDIENCE = "a token that names its audience is for that audience alone";
const PROTOTYPE = "a name that reaches a prototype has no honest use";

function head(changes: Record<string, unknown>): string {
  return forge({ ...header, ...changes });
}

function says(changes: Record<string, unknown>): string {
  return forge(header, { ...claims, ...changes });
}

function text(more: string): string {
  return forge(header, `{${body},${more}}`);
}

function hmac(alg: string, hash: string): string {
  const signed = `${segment({ ...header, alg })}.${segment(claims)}`;
  return `${signed}.${createHmac(hash, acme.made.publicKeyPem).update(signed).digest("base64url")}`;
}

/** The last character of a segment with other unused bits. */
function twin(spelled: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return spelled.slice(0, -1) + alphabet[alphabet.indexOf(spelled.at(-1)!) + 1];
}

/** Segments that leave bits unused, so that they have twins. */
const looseHead =
  [header, { ...header, typ: undefined }].map(segment).find((each) => each.length % 4 !== 0) ??
    segment(`${JSON.stringify(header)} `);
const looseBody = [claims, { ...claims, n: 1 }, { ...claims, n: 12 }].map(segment).find((each) =>
  each.length % 4 !== 0
)!;

/** The list: what general verifiers differ on, with every class of known verifier faults. */
export const hostileTokens: readonly HostileToken[] = ([
  ["alg none, unsigned", `${segment({ ...header, alg: "none" })}.${second}.`, ""],
  ["alg none, signed", head({ alg: "none" }), ""],
  ["alg nOnE", head({ alg: "nOnE" }), ""],
  ["alg missing", head({ alg: undefined }), ""],
  ["alg null", head({ alg: null }), ""],
  ["alg HS256 keyed with the public key", hmac("HS256", "sha256"), ""],
  ["alg HS512 keyed with the public key", hmac("HS512", "sha512"), ""],
  ["alg RS512, signed as RS256", head({ alg: "RS512" }), ""],
  ["alg PS256, signed as RS256", head({ alg: "PS256" }), ""],
  ["alg rs256", head({ alg: "rs256" }), ""],
  ["alg in an array", head({ alg: ["RS256"] }), ""],
  ["kid missing", head({ kid: undefined }), "without it, any of the keys would do"],
  ["kid of another tenant", head({ kid: evil.keyId }), "the key is the one that it names"],
  ["kid a path", head({ kid: "../../etc/passwd" }), "an id is letters, digits, dot, _ and -"],
  ["kid a number", head({ kid: 1 }), "an id is a text"],
  ["kid __proto__", head({ kid: "__proto__" }), "no such key"],
  ["jwk of the attacker", head({ jwk }), BROUGHT],
  ["jku to loopback", head({ jku: "http://127.0.0.1/keys" }), BROUGHT],
  ["x5u and x5c", head({ x5u: "http://127.0.0.1/cert", x5c: ["MIIB"] }), BROUGHT],
  ["crit empty", head({ crit: [] }), EXTENSION],
  ["crit exp", head({ crit: ["exp"], exp: NOW + 60 }), EXTENSION],
  ["b64 false, not critical", head({ b64: false }), EXTENSION],
  ["typ at+jwt", head({ typ: "at+jwt" }), "another kind of token"],
  ["cty JWT, nested", forge({ ...header, cty: "JWT" }, good), ""],
  ["zip", head({ zip: "DEF" }), EXTENSION],
  ["header alg twice", forge('{"alg":"none","alg":"RS256","typ":"JWT","kid":"acme-1"}'), TWICE],
  ["header kid twice", forge('{"alg":"RS256","typ":"JWT","kid":"evil-1","kid":"acme-1"}'), TWICE],
  ["header a byte order mark", forge(`\uFEFF${JSON.stringify(header)}`), SPELLING],
  ["sub twice, evil first", forge(header, `{"sub":"evil",${body}}`), TWICE],
  ["sub twice, evil last", text('"sub":"evil"'), TWICE],
  ["sub twice, one escaped", text('"s\\u0075b":"acme"'), TWICE],
  ["exp twice, past then future", forge(header, `{"exp":1,${body}}`), TWICE],
  ["iss twice", forge(header, `{"iss":"other",${body}}`), TWICE],
  ["a name with an escape", text('"n\\u0061me":"Zoe"'), TWICE],
  ["__proto__ in the payload", text('"__proto__":{"admin":true}'), PROTOTYPE],
  ["constructor in the payload", text('"constructor":{"prototype":{}}'), PROTOTYPE],
  ["payload an array", forge(header, `[{${body}}]`), ""],
  ["payload null", forge(header, "null"), ""],
  ["payload with text after it", forge(header, `{${body}}x`), ""],
  ["payload a byte order mark", forge(header, `\uFEFF{${body}}`), SPELLING],
  [
    "payload not UTF-8",
    forge(
      header,
      Buffer.concat([Buffer.from(`{${body},"x":"`), Buffer.of(0xff), Buffer.from('"}')]),
    ),
    "a claim is text, and these bytes are not UTF-8",
  ],
  ["payload a lone surrogate", text('"x":"\\ud800"'), "it cannot be stored or compared as text"],
  ["payload nested 1,000 deep", text(`"x":${"[".repeat(1000)}${"]".repeat(1000)}`), SIZE],
  ["payload of 10 KiB", says({ x: "x".repeat(10_240) }), SIZE],
  ["payload of 1 MiB", says({ x: "x".repeat(2 ** 20) }), SIZE],
  ["exp missing", says({ exp: undefined }), ""],
  ["exp a string", says({ exp: `${NOW + 60}` }), ""],
  ["exp an array", says({ exp: [NOW + 60] }), ""],
  ["exp with a fraction", says({ exp: NOW + 60.5 }), NUMBER],
  ["exp now", says({ exp: NOW }), ""],
  ["exp in milliseconds", says({ exp: (NOW + 60) * 1000 }), NUMBER],
  ["exp 1e308", forge(header, `{${body.replace(/"exp":\d+/, '"exp":1e308')}}`), NUMBER],
  ["exp 2 hours away", says({ exp: NOW + 7200 }), LIFE],
  ["iat missing", says({ iat: undefined }), "without it the life has no beginning"],
  ["iat a year ago", says({ iat: NOW - 31_536_000, exp: NOW + 60 }), LIFE],
  ["iat in an hour", says({ iat: NOW + 3599 }), ""],
  ["iat with a fraction", says({ iat: NOW - 0.5 }), NUMBER],
  ["iat after exp", says({ iat: NOW + 20, exp: NOW + 10 }), "it ends before it begins"],
  ["nbf in an hour", says({ nbf: NOW + 3600 }), ""],
  ["nbf a string", says({ nbf: `${NOW}` }), ""],
  ["browser token of an hour", says({ jti: "1", scope: "call.dial" }), LIFE],
  ["iss missing", says({ iss: undefined }), ""],
  ["iss with a space after it", says({ iss: "telequick-sdk " }), ""],
  ["iss in an array", says({ iss: ["telequick-sdk"] }), ""],
  ["sub missing", says({ sub: undefined }), TENANT],
  ["sub a number", says({ sub: 1 }), TENANT],
  ["sub empty", says({ sub: "" }), TENANT],
  ["sub in an array", says({ sub: ["acme", "evil"] }), TENANT],
  ["sub with NUL", says({ sub: "acme\0evil" }), TENANT],
  ["sub with a Cyrillic letter", says({ sub: "\u0430cme" }), TENANT],
  ["sub with a space after it", says({ sub: "acme " }), TENANT],
  ["sub in capitals", says({ sub: "ACME" }), TENANT],
  ["sub of another tenant", says({ sub: "evil" }), TENANT],
  ["aud of another service", says({ aud: "https://other.example" }), AUDIENCE],
  ["aud an array with another service", says({ aud: ["https://other.example"] }), AUDIENCE],
  ["header in another spelling", signSegments(twin(looseHead), second), SPELLING],
  ["payload in another spelling", signSegments(first, twin(looseBody)), SPELLING],
  ["signature in another spelling", `${first}.${second}.${twin(third)}`, SPELLING],
  ["signature padded", `${good}==`, SPELLING],
  [
    "payload padded",
    signSegments(first, `${looseBody}${"=".repeat(4 - looseBody.length % 4)}`),
    SPELLING,
  ],
  [
    "a line end inside the signature",
    `${first}.${second}.${third.slice(0, 9)}\n${third.slice(9)}`,
    SPELLING,
  ],
  [
    "a space inside the payload",
    signSegments(first, `${second.slice(0, 9)} ${second.slice(9)}`),
    SPELLING,
  ],
  ["a line end after it", `${good}\n`, SPELLING],
  ["a # inside the signature", `${first}.${second}.#${third}`, SPELLING],
  [
    "the standard alphabet",
    `${first}.${second}.${third.replaceAll("-", "+").replaceAll("_", "/")}`,
    SPELLING,
  ],
  ["five segments", `${good}.${third}.${third}`, ""],
  ["signed by another tenant", forge(header, claims, evil.privateKey), ""],
] as const).map(([name, token, why]) => ({ name, token, why }));

/** What an honest signer makes, in all its variety: a verifier that refuses everything fails on these. */
export const honestTokens: readonly { readonly name: string; readonly token: string }[] = ([
  ["plain", good],
  ["without typ", head({ typ: undefined })],
  ["with nbf", says({ nbf: NOW })],
  ["with white space", forge(header, JSON.stringify(claims, null, 2))],
  ["of one second", says({ exp: NOW + 1 })],
  [
    "with further claims",
    says({ role: "agent", limits: { calls: [1, 2] }, name: "Zo\u00eb \u{1F600}" }),
  ],
  ["with escaped text", text('"name":"Zo\\u00eb \\ud83d\\ude00"')],
  [
    "members in another order",
    forge({ kid: header.kid, alg: header.alg }, {
      exp: claims.exp,
      iat: claims.iat,
      sub: claims.sub,
      iss: claims.iss,
    }),
  ],
  [
    "browser token",
    says({
      exp: NOW + 300,
      scope: "call.dial",
      origin: "https://app.example",
      end_user: "u1",
      jti: "1",
    }),
  ],
] as const).map(([name, token]) => ({ name, token }));
