/**
 * `telequick tail`.
 *
 * @module
 */

import type { ClientStatus, TeleQuickClient } from "../../client/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type Command, command } from "../command.ts";
import { callNames, eventLine, eventRecord } from "../events.ts";
import { EventType } from "../../wire/mod.ts";
import { SESSION_OPTIONS, withClient } from "../session.ts";

/** Prints events as they arrive. */
export const tail: Command = command({
  details:
    "Events of every call of the tenant, of one call, or of one SDK instance. Continues after reconnects until Ctrl-C.",
  options: {
    ...SESSION_OPTIONS,
    "call": { type: "text", value: "CALL", help: "Only events of this call; ends with the call" },
    "client-id": { type: "text", value: "ID", help: "Only events for this SDK instance" },
  },
  examples: [
    ["telequick tail", "every call of the tenant"],
    ["telequick tail --json | jq -r .status", "for programs"],
  ],
  exitCodes: { 0: "ended by Ctrl-C, or the requested call has ended" },
  run(context) {
    const { values, output, signal } = context;
    const { call, "client-id": clientId } = values;
    return withClient(context, async (client) => {
      const events = client.events();
      const statuses = client.status();
      const leave = (): void => void events.return?.();
      signal.addEventListener("abort", leave, { once: true });
      const nameOf = callNames();
      let isFirst = true;
      const subscribed = subscribe(client, statuses, signal, () => {
        output.emit({ type: "listening" });
        if (isFirst) output.note(output.noteStyle.dim("Listening; Ctrl-C stops"));
        isFirst = false;
      });
      subscribed.catch(leave);
      for await (const event of events) {
        if (call !== undefined && event.callSid !== call) continue;
        if (clientId !== undefined && event.clientId !== clientId) continue;
        output.emit(eventRecord(event), eventLine(event, output, nameOf(event.callSid)));
        if (call !== undefined && event.eventType === EventType.CHANNEL_HANGUP_COMPLETE) break;
      }
      await statuses.return?.();
      await subscribed;
      return 0;
    });
  },
});

/**
 * Subscribes each session to every call of the tenant: a subscription ends with its session. Never with another instance's client id:
 * the last session that subscribes with an id receives its events, and the other instance would lose them.
 */
export async function subscribe(
  client: Pick<TeleQuickClient, "streamEvents">,
  statuses: AsyncIterable<Pick<ClientStatus, "type">>,
  signal: AbortSignal,
  onListening: () => void,
): Promise<void> {
  for await (const { type } of statuses) {
    if (type !== "open") continue;
    try {
      await client.streamEvents("", { signal });
      onListening();
    } catch (error) {
      if (signal.aborted) return;
      // Lost again: the next session subscribes. A refusal does not end the session, so there would be no next one.
      const isLost = error instanceof TeleQuickError && error.retryable &&
        error.code !== "ERR_RPC_REJECTED";
      if (!isLost) throw error;
    }
  }
}
