/**
 * `telequick hangup`, `telequick gateway hangup` and `telequick barge`.
 *
 * @module
 */

import { ACCOUNT_OPTIONS, accountPath } from "../account.ts";
import { type Command, command } from "../command.ts";
import { askGateway, GATEWAY_DETAILS, OWNER_OPTION } from "../gateway_control.ts";
import { SESSION_OPTIONS, withClient } from "../session.ts";

/** Hangs up a call. */
export const hangup: Command = command({
  positionals: ["CALL"],
  options: SESSION_OPTIONS,
  examples: [["telequick hangup 0b9e6c1e-0000-4000-8000-000000000000", "a call by its id"]],
  exitCodes: { 1: "the call does not exist, or the gateway cannot be reached" },
  async run(context) {
    const { positionals: [callSid = ""], output, signal } = context;
    await withClient(context, (client) => client.terminate(callSid, { signal }));
    output.emit({ type: "hangup", callSid }, `Hung up ${callSid}`);
    return 0;
  },
});

/** Hangs up a call as the gateway's owner. */
export const gatewayHangup: Command = command({
  details: GATEWAY_DETAILS +
    "Needs no session: it hangs up calls of every tenant, and those of the panel's phone, whose tenant the panel shows.",
  positionals: ["CALL"],
  options: {
    ...ACCOUNT_OPTIONS,
    ...OWNER_OPTION,
    "cause": {
      type: "number",
      value: "CAUSE",
      help: "The Q.850 cause with which it ends",
      min: 1,
      max: 127,
      byDefault: "16, normal call clearing",
    },
  },
  examples: [
    ["telequick gateway hangup 0b9e6c1e-0000-4000-8000-000000000000", "a call by its id"],
    [
      "telequick gateway hangup 0b9e6c1e-0000-4000-8000-000000000000 --tenant phone --cause 21",
      "decline a call that rings in the panel's phone",
    ],
  ],
  exitCodes: { 2: "no such gateway runs, or the tenant has no such call" },
  async run({ positionals: [callSid = ""], values, platform, output }) {
    const { tenant, cause } = values;
    const { tenantId } = await askGateway(accountPath({ values, platform }), {
      ...{ action: "hangup", callSid },
      ...(tenant !== undefined && { tenantId: tenant }),
      ...(cause !== undefined && { cause }),
    }, platform);
    output.emit({ type: "hangup", callSid, tenantId }, `Hung up ${callSid} of tenant ${tenantId}`);
    return 0;
  },
});

/** Stops the playback of a call. */
export const barge: Command = command({
  details: "As when the caller interrupts: playback stops, the call continues.",
  positionals: ["CALL"],
  options: SESSION_OPTIONS,
  examples: [["telequick barge 0b9e6c1e-0000-4000-8000-000000000000", "a call by its id"]],
  exitCodes: { 1: "the gateway refused, or cannot be reached" },
  async run(context) {
    const { positionals: [callSid = ""], output, signal } = context;
    await withClient(context, (client) => client.barge(callSid, { signal }));
    output.emit({ type: "barge", callSid }, `Stopped the playback of ${callSid}`);
    return 0;
  },
});
