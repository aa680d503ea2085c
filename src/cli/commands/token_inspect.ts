/**
 * `telequick token inspect`.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { type DecodedToken, decodeToken, KEY_ID, TENANT_ID } from "../../token/mod.ts";
import { type Command, command } from "../command.ts";
import { formatDuration, formatInstant } from "../terminal/format.ts";
import { inLine } from "../terminal/output.ts";
import { readTokenInput } from "../token_input.ts";

const BROWSER_CLAIMS: readonly string[] = ["scope", "origin", "end_user", "jti"];
const MAX_LIFETIME_SECONDS = 3600;
const MAX_BROWSER_LIFETIME_SECONDS = 300;

/** Decodes a token and reports what is wrong with it. */
export const tokenInspect: Command = command({
  details:
    "Nothing is verified: the content can be forged (telequick token verify checks the signature). " +
    "An argument is visible in the list of processes; a pipe is not.",
  positionals: ["TOKEN?"],
  options: {},
  examples: [["telequick token inspect < token.txt", "a token from a file"]],
  exitCodes: { 1: "something is wrong with the token" },
  async run({ positionals: [argument], platform, output, clock }) {
    const token = await readTokenInput(argument, platform);
    const { style } = output;
    let decoded: DecodedToken;
    try {
      decoded = decodeToken(token);
    } catch (error) {
      if (!(error instanceof TeleQuickError)) throw error;
      const { message } = error;
      output.emit({ type: "inspection", problems: [message] }, `${style.bad("wrong:")} ${message}`);
      return 1;
    }
    const { header, claims } = decoded;
    const problems = findProblems(decoded, clock.now());
    const lines = [
      ...describe("header", header, style.dim),
      ...describe("claim", claims, style.dim),
      ...problems.map((problem) => `${style.bad("wrong:")} ${problem}`),
    ];
    if (problems.length === 0) {
      lines.push(`${style.good("nothing wrong")} as far as can be seen without the key`);
    }
    output.emit({ type: "inspection", header, claims, problems }, lines.join("\n"));
    return problems.length === 0 ? 0 : 1;
  },
});

function describe(
  what: string,
  members: Readonly<Record<string, unknown>>,
  dim: (text: string) => string,
): string[] {
  return Object.entries(members).map(([name, value]) => {
    const isTime = ["iat", "exp", "nbf"].includes(name) && typeof value === "number";
    const inWords = isTime ? dim(` (${formatInstant(value * 1_000)})`) : "";
    return `${what} ${inLine(name)}: ${inLine(JSON.stringify(value))}${inWords}`;
  });
}

/** What a gateway would refuse, as far as it can be seen without the key. */
function findProblems({ header, claims }: DecodedToken, now: number): string[] {
  const problems: string[] = [];
  const expect = (good: boolean, problem: string): void => void (good || problems.push(problem));
  const { alg, kid, typ } = header;
  const { iss, sub, iat, exp, nbf } = claims;
  expect(alg === "RS256", `alg is ${show(alg)}, expected "RS256"`);
  expect(typ === undefined || typ === "JWT", `typ is ${show(typ)}, expected "JWT"`);
  expect(typeof kid === "string" && KEY_ID.test(kid), `kid is ${show(kid)}, expected a key id`);
  expect(iss === "telequick-sdk", `iss is ${show(iss)}, expected "telequick-sdk"`);
  expect(
    typeof sub === "string" && TENANT_ID.test(sub),
    `sub is ${show(sub)}, expected a tenant id of a-z, 0-9 and inner hyphens`,
  );
  const isBrowser = BROWSER_CLAIMS.some((name) => claims[name] !== undefined);
  const max = isBrowser ? MAX_BROWSER_LIFETIME_SECONDS : MAX_LIFETIME_SECONDS;
  if (typeof exp !== "number") problems.push(`exp is ${show(exp)}, expected Unix seconds`);
  else {
    const leftMs = exp * 1_000 - now;
    expect(leftMs > 0, `it expired ${formatDuration(-leftMs)} ago`);
    if (typeof iat === "number") {
      const kind = isBrowser ? "a browser token" : "a token";
      expect(
        exp - iat <= max,
        `its lifetime is ${exp - iat} s, expected at most ${max} for ${kind}`,
      );
    }
  }
  if (typeof iat !== "number") problems.push(`iat is ${show(iat)}, expected Unix seconds`);
  else expect(iat * 1_000 <= now + 30_000, "iat is in the future by this machine's clock");
  if (typeof nbf === "number") {
    expect(nbf * 1_000 <= now + 30_000, "nbf is in the future by this machine's clock");
  }
  return problems;
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = inLine(JSON.stringify(value));
  return text.length > 48 ? `${text.slice(0, 48)}...` : text;
}
