/**
 * `telequick tail`.
 *
 * @module
 */

import { type Command, command } from "../command.ts";
import { eventLine, eventRecord } from "../events.ts";
import { EventType } from "../../wire/mod.ts";
import { SESSION_OPTIONS, withClient } from "../session.ts";

/** Prints events as they come. */
export const tail: Command = command({
  details:
    "Every call of the tenant, or one, or those of one SDK instance. Goes on through reconnects until Ctrl-C.",
  options: {
    ...SESSION_OPTIONS,
    "call": { type: "text", value: "CALL", help: "Only this call's events; ends with the call" },
    "client-id": { type: "text", value: "ID", help: "Only events for this SDK instance" },
  },
  examples: [
    ["telequick tail", "every call of the tenant"],
    ["telequick tail --json | jq -r .status", "for machines"],
  ],
  exitCodes: { 0: "ended by Ctrl-C, or the call that was asked for is over" },
  run(context) {
    const { values, output, signal } = context;
    return withClient(context, async (client) => {
      await client.streamEvents(values["client-id"] ?? "", { signal });
      const events = client.events();
      signal.addEventListener("abort", () => void events.return?.(), { once: true });
      output.emit({ type: "listening" });
      output.note(output.noteStyle.dim("Listening, Ctrl-C ends it"));
      for await (const event of events) {
        if (values.call !== undefined && event.callSid !== values.call) continue;
        output.emit(eventRecord(event), eventLine(event, output.style));
        if (values.call !== undefined && event.eventType === EventType.CHANNEL_HANGUP_COMPLETE) {
          break;
        }
      }
      return 0;
    });
  },
});
