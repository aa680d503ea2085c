/**
 * Call events as lines and as records.
 *
 * @module
 */

import { type CallEvent, describeQ850Cause, EventType } from "../wire/mod.ts";
import { formatInstant } from "./terminal/format.ts";
import { eventName } from "../catalogue/mod.ts";
import { inLine, type Output, type OutputRecord } from "./terminal/output.ts";
import { wrap } from "./terminal/wrap.ts";

/** An event as data: the wire's fields, with its type and cause in words. */
export function eventRecord(event: CallEvent): OutputRecord {
  return {
    type: "event",
    event: eventName(event.eventType),
    ...event,
    ...(event.q850Cause !== 0 && { cause: describeQ850Cause(event.q850Cause) }),
  };
}

// The time, and two spaces.
const INDENT = 11;

/** An event as a line, wrapped where it goes to a terminal: time, call where `name` says which, type, status; at the end the statistics. */
export function eventLine(
  event: CallEvent,
  { style: { bold, dim }, columns }: Pick<Output, "style" | "columns">,
  name?: string,
): string {
  const { eventType, status, timestampMs } = event;
  const words = [
    dim(formatInstant(timestampMs).replace(/^.*T/, "")),
    ...(name === undefined ? [] : [name]),
    bold(eventName(eventType)),
    inLine(status),
  ];
  if (eventType === EventType.CHANNEL_ANSWER && event.codec !== "") words.push(inLine(event.codec));
  if (eventType === EventType.CHANNEL_HANGUP_COMPLETE) words.push(accounts(event));
  return wrap(words.join("  "), { columns, indent: INDENT });
}

// Ids that have been printed; the oldest are forgotten, and printed whole once more.
const MOST_IDS = 4_096;
const SHORT_ID = 8;

/** Names calls for people: the first time by the whole id, which other commands take, later by its beginning. */
export function callNames(): (callSid: string) => string {
  const known = new Set<string>();
  return (callSid) => {
    if (known.has(callSid)) return inLine(callSid.slice(0, SHORT_ID));
    known.add(callSid);
    for (const oldest of known) {
      if (known.size > MOST_IDS) known.delete(oldest);
      break;
    }
    return inLine(callSid);
  };
}

function accounts(event: CallEvent): string {
  const { q850Cause, durationSeconds, packetsSent, packetsReceived, packetsLost, estimatedMos } =
    event;
  const words = [`Q.850 ${q850Cause} (${describeQ850Cause(q850Cause)})`, `${durationSeconds} s`];
  if (packetsSent + packetsReceived > 0) {
    words.push(
      `${packetsSent} packets out, ${packetsReceived} in, ${packetsLost} lost`,
      `jitter ${event.jitterMs.toFixed(1)} ms`,
      `MOS ${estimatedMos.toFixed(2)}`,
    );
  }
  if (event.recordingUrl !== "") words.push(`recording ${inLine(event.recordingUrl)}`);
  return words.join(", ");
}
