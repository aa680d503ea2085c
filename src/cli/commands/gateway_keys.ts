/**
 * `telequick gateway register` and `telequick gateway revoke`: the keys of a local gateway that runs.
 *
 * @module
 */

import { importVerifyingKey, keyThumbprint } from "../../credentials/mod.ts";
import { ACCOUNT_OPTIONS, accountPath, checkKeyId } from "../account.ts";
import { type Command, command } from "../command.ts";
import { askGateway, GATEWAY_DETAILS, OWNER_OPTION } from "../gateway_control.ts";

/** Registers a public key. */
export const gatewayRegister: Command = command({
  details: GATEWAY_DETAILS +
    "Takes the part of the console: the gateway accepts tokens of this key from now on, beside those of its other keys.",
  positionals: ["PEM"],
  options: {
    ...ACCOUNT_OPTIONS,
    "key-id": {
      type: "text",
      value: "KID",
      help: "The id under which the key is registered",
      byDefault: "its RFC 7638 thumbprint, as keygen and rotate start have it",
    },
  },
  examples: [
    ["telequick gateway register public-key.pem", "the key that keygen made"],
    [
      "telequick gateway register $TELEQUICK_CREDENTIALS.next.pub.pem",
      "step 2 of a rotation",
    ],
  ],
  exitCodes: { 1: "the gateway refused the key", 2: "no such gateway runs, or the key is wrong" },
  async run({ positionals: [path = ""], values, platform, output }) {
    checkKeyId(values["key-id"], "register key");
    const publicKeyPem = await platform.readText(path);
    const thumbprint = await keyThumbprint(await importVerifyingKey(publicKeyPem));
    const keyId = values["key-id"] ?? thumbprint;
    const credentials = accountPath({ values, platform });
    const question = { action: "register", keyId, publicKeyPem } as const;
    const { tenantId } = await askGateway(credentials, question, platform);
    output.emit(
      { type: "registered", tenantId, keyId },
      `Registered ${keyId} for tenant ${tenantId}`,
    );
    return 0;
  },
});

/** Revokes a key. */
export const gatewayRevoke: Command = command({
  details: GATEWAY_DETAILS +
    "Takes the part of the console: the key's sessions end and its tokens are refused, for good. Calls go on.",
  positionals: ["KID"],
  options: { ...ACCOUNT_OPTIONS, ...OWNER_OPTION },
  examples: [
    ["telequick gateway revoke 2026-10", "step 5 of a rotation"],
    ["telequick gateway revoke 2026-10 --tenant globex", "a key of another tenant"],
  ],
  exitCodes: { 2: "no such gateway runs, or it has no such key" },
  async run({ positionals: [keyId = ""], values, platform, output }) {
    checkKeyId(keyId, "revoke key");
    const credentials = accountPath({ values, platform });
    const { tenantId, unconfirmed = [] } = await askGateway(credentials, {
      ...{ action: "revoke", keyId },
      ...(values.tenant !== undefined && { tenantId: values.tenant }),
    }, platform);
    output.emit(
      { type: "revoked", tenantId, keyId, unconfirmed },
      `Revoked ${keyId} of tenant ${tenantId}`,
    );
    if (unconfirmed.length > 0) {
      output.warn(
        `Not confirmed by ${unconfirmed.join(", ")}: the key's sessions there can still be open`,
      );
    }
    return 0;
  },
});
