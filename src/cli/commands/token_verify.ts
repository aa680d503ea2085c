/**
 * `telequick token verify`.
 *
 * @module
 */

import { importVerifyingKey } from "../../credentials/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { decodeToken, verifyToken } from "../../token/mod.ts";
import { type Command, command } from "../command.ts";
import { formatDuration, formatInstant } from "../terminal/format.ts";
import { readTokenInput } from "../token_input.ts";
import { UsageError } from "../usage.ts";

/** Verifies a token as a gateway does. */
export const tokenVerify: Command = command({
  details:
    "Without --tenant and --key-id the token's own values are used: then only the signature and the times are checked.",
  positionals: ["TOKEN?"],
  options: {
    "public-key": { type: "text", value: "PATH", help: "The public key, PEM" },
    "tenant": { type: "text", value: "ID", help: "The expected tenant" },
    "key-id": { type: "text", value: "KID", help: "The expected key id" },
    "origin": { type: "text", value: "ORIGIN", help: "The origin of the page that presents it" },
    "tolerance": {
      type: "number",
      value: "SECONDS",
      help: "Clock tolerance after its expiry",
      max: 60,
      byDefault: "0",
    },
  },
  examples: [
    [
      "telequick token verify --public-key public-key.pem < token.txt",
      "check the signature and the claims",
    ],
  ],
  exitCodes: { 1: "the token is not valid" },
  async run({ values, positionals: [argument], platform, output, clock }) {
    const path = values["public-key"];
    if (path === undefined) {
      throw new UsageError("Option --public-key is missing: the public key, PEM", {
        command: "token verify",
      });
    }
    const key = await importVerifyingKey(await platform.readText(path));
    const token = await readTokenInput(argument, platform);
    const { style } = output;
    try {
      const tenantId = values.tenant ?? String(decodeToken(token).claims["sub"]);
      const wanted = values["key-id"];
      const { origin, tolerance } = values;
      const verified = await verifyToken(token, {
        resolveKey: (keyId) =>
          wanted === undefined || wanted === keyId ? { tenantId, key } : undefined,
        now: clock.now(),
        ...(origin !== undefined && { origin }),
        ...(tolerance !== undefined && { clockToleranceSeconds: tolerance }),
      });
      const { expiresAtMs } = verified;
      output.emit(
        {
          type: "verdict",
          valid: true,
          tenantId: verified.tenantId,
          keyId: verified.keyId,
          kind: verified.kind,
          expiresAtMs,
        },
        `${style.good("valid")}: tenant ${verified.tenantId}, key ${verified.keyId}, ${
          verified.kind === "browser" ? "a browser token" : "a service token"
        }, expires ${formatInstant(expiresAtMs)}, in ${formatDuration(expiresAtMs - clock.now())}`,
      );
      return 0;
    } catch (error) {
      if (!(error instanceof TeleQuickError)) throw error;
      const { code, message, refusal } = error;
      output.emit(
        { type: "verdict", valid: false, code, message, refusal },
        `${style.bad("not valid")}: ${message}`,
      );
      return 1;
    }
  },
});
