/**
 * `telequick token mint` and `telequick token browser`.
 *
 * @module
 */

import { decodeToken, mintBrowserToken, signToken } from "../../token/mod.ts";
import { ACCOUNT_OPTIONS, accountPath, loadSigner } from "../account.ts";
import type { OptionSpecs } from "../terminal/args.ts";
import { type Command, command, type Context } from "../command.ts";
import { formatDuration, formatInstant } from "../terminal/format.ts";
import { UsageError } from "../usage.ts";

const WHERE_TO = {
  "show": {
    type: "flag",
    help: "Print the token, and nothing else, on the standard output",
  },
  "out": { type: "text", value: "PATH", help: "Write the token to a file readable only by you" },
} as const satisfies OptionSpecs;

/** Signs a service-account token. */
export const tokenMint: Command = command({
  details: "A token is a secret until it expires: it is printed only on request.",
  options: {
    ...ACCOUNT_OPTIONS,
    "lifetime": {
      type: "number",
      value: "SECONDS",
      help: "Lifetime, at most 3600",
      min: 1,
      byDefault: "3600",
    },
    "claim": { type: "list", value: "NAME=TEXT", help: "An additional claim" },
    ...WHERE_TO,
  },
  examples: [
    ["telequick token mint", "signer and lifetime, not the token"],
    ["TOKEN=$(telequick token mint --show)", "the token itself"],
  ],
  async run(context) {
    const { values } = context;
    const signer = await loadSigner(accountPath(context), context.output);
    const claims = Object.fromEntries(values.claim.map(readClaim));
    const token = await signToken(signer, {
      now: context.clock.now(),
      claims,
      ...(values.lifetime !== undefined && { lifetimeSeconds: values.lifetime }),
    });
    return await deliver(token, context);
  },
});

/** Signs a browser token. */
export const tokenBrowser: Command = command({
  details:
    "What a backend does for its pages; see mintBrowserToken. The page passes the token to TeleQuickClient with true as third argument.",
  options: {
    ...ACCOUNT_OPTIONS,
    "lifetime": {
      type: "number",
      value: "SECONDS",
      help: "Lifetime, at most 300",
      min: 1,
      byDefault: "300",
    },
    "scope": { type: "text", value: "WORDS", help: 'What the page can do, such as "call.dial"' },
    "origin": { type: "text", value: "ORIGIN", help: "The page's origin, https://app.example" },
    "end-user": { type: "text", value: "ID", help: "The user of the page" },
    "jti": { type: "text", value: "ID", help: "An id that makes the token single-use" },
    ...WHERE_TO,
  },
  examples: [
    [
      "telequick token browser --origin https://app.example --scope call.dial --show",
      "for a page to try",
    ],
  ],
  async run(context) {
    const { scope, origin, jti, lifetime, ...others } = context.values;
    const endUser = others["end-user"];
    const signer = await loadSigner(accountPath(context), context.output);
    const token = await mintBrowserToken(signer, {
      now: context.clock.now(),
      ...(lifetime !== undefined && { lifetimeSeconds: lifetime }),
      ...(scope !== undefined && { scope }),
      ...(origin !== undefined && { origin }),
      ...(endUser !== undefined && { endUser }),
      ...(jti !== undefined && { jti }),
    });
    return await deliver(token, context);
  },
});

/** Describes a token; prints or writes it on request. */
async function deliver(
  token: string,
  { values: { show, ...values }, output, platform }: Context<typeof WHERE_TO>,
): Promise<number> {
  const out = values.out === undefined ? undefined : platform.absolute(values.out);
  if (out !== undefined) {
    await platform.writeText(out, `${token}\n`, { mode: 0o600, replace: true });
  }
  const { header, claims } = decodeToken(token);
  const expiresAtMs = Number(claims["exp"]) * 1_000;
  const lifetimeMs = expiresAtMs - Number(claims["iat"]) * 1_000;
  const facts = `Signed for tenant ${claims["sub"]} with key ${header["kid"]}: expires ${
    formatInstant(expiresAtMs)
  }, in ${formatDuration(lifetimeMs)}`;
  const record = {
    type: "token",
    tenantId: claims["sub"],
    keyId: header["kid"],
    expiresAtMs,
    ...(show && { token }),
    ...(out !== undefined && { path: out }),
  };
  if (output.json) output.emit(record);
  else if (show) {
    output.note(facts);
    output.raw(token);
  } else {
    output.emit(record, out === undefined ? facts : `${facts}\nWritten to ${out}`);
    if (out === undefined) {
      output.note("The token is not printed: --show prints it, --out PATH writes it");
    }
  }
  return 0;
}

function readClaim(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError("Option --claim needs a name and a value: --claim NAME=TEXT");
  return [text.slice(0, at), text.slice(at + 1)];
}
