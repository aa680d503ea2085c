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
  exitCodes: { 1: "there is no such call, or the gateway cannot be reached" },
  async run(context) {
    const { positionals: [callSid = ""], output, signal } = context;
    await withClient(context, (client) => client.terminate(callSid, { signal }));
    output.emit({ type: "hangup", callSid }, `Hung up ${callSid}`);
    return 0;
  },
});

/** Cuts what a call is being played. */
export const barge: Command = command({
  details: "What a caller's interruption does: playback stops, the call goes on.",
  positionals: ["CALL"],
  options: SESSION_OPTIONS,
  examples: [["telequick barge 0b9e6c1e-0000-4000-8000-000000000000", "a call by its id"]],
  exitCodes: { 1: "the gateway refused, or cannot be reached" },
  async run(context) {
    const { positionals: [callSid = ""], output, signal } = context;
    await withClient(context, (client) => client.barge(callSid, { signal }));
    output.emit({ type: "barge", callSid }, `Cut the playback of ${callSid}`);
    return 0;
  },
});
