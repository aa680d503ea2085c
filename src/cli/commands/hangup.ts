/**
 * `telequick hangup` and `telequick barge`.
 *
 * @module
 */

import { type Command, command } from "../command.ts";
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
