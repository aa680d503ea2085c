/**
 * Events. See [the protocol](../PROTOCOL.md#8-events).
 *
 * @module
 */

import { f64, type FieldCodec, i32, i64, shortText, text, u32, u64, urlText } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import type { NumberOf } from "../name_of.ts";
import { Empty } from "./call.ts";

/** What happened to a call: the values of `eventType` fields. Unknown numbers are kept. */
export const EventType = {
  /** Reserved: log and ignore it. */
  UNKNOWN: 0,
  /** The callee's leg exists. There is no audio yet. */
  CHANNEL_CREATE: 1,
  /** The far end answered. Audio flows. */
  CHANNEL_ANSWER: 2,
  /** The last event of a call, with its totals. */
  CHANNEL_HANGUP_COMPLETE: 3,
  /** The call is on hold. */
  CHANNEL_HOLD: 4,
  /** The hold has ended. */
  CHANNEL_RESUME: 5,
} as const;

/** One of the numbers of `EventType`, or an unknown one. */
export type EventType = NumberOf<typeof EventType>;

/** Fields of {@linkcode EventStreamRequest}. */
export const eventStreamRequest = {
  /** This SDK instance: a UUID v4, the same across reconnects. Default: `""`. */
  clientId: text,
} as const;

/** Subscribes to the events of the tenant and lets the gateway open streams to this session. */
export interface EventStreamRequest extends ValueOf<typeof eventStreamRequest> {}

/** Subscribes to the events of the tenant and lets the gateway open streams to this session. */
export const EventStreamRequest: Message<EventStreamRequest> = /* @__PURE__ */ message(
  "EventStreamRequest",
  eventStreamRequest,
);

/** Fields of {@linkcode CallEvent}. */
export const callEvent = {
  /** The call's id. Default: `""`. */
  callSid: shortText,
  /** An `EventType` (int32). Default: 0. */
  eventType: i32 as FieldCodec<EventType>,
  /** Coarse state, an open set: `RINGING`, `COMPLETED` and others. Default: `""`. */
  status: shortText,
  /** When the call began, in Unix milliseconds (int64). Default: 0. */
  startTimestampMs: i64,
  /** Why it ended, by ITU-T Q.850 (int32). Default: 0. */
  q850Cause: i32,
  /** URL of the recording. Default: `""`, the call was not recorded. */
  recordingUrl: urlText,
  /** Duration of the call in seconds (int32). Default: 0. */
  durationSeconds: i32,
  /** When it was answered, in Unix milliseconds (int64). Default: 0. */
  answerTimestampMs: i64,
  /** When it ended, in Unix milliseconds (int64). Default: 0. */
  endTimestampMs: i64,
  /** RTP packets sent (uint32). Default: 0. */
  packetsSent: u32,
  /** RTP packets received (uint32). Default: 0. */
  packetsReceived: u32,
  /** RTP packets lost (uint32). Default: 0. */
  packetsLost: u32,
  /** Bytes sent (uint64). Default: 0. */
  bytesSent: u64,
  /** Jitter in milliseconds (double). Default: 0. */
  jitterMs: f64,
  /** Estimated mean opinion score, 1 to 5 (double). Default: 0. */
  estimatedMos: f64,
  /** The call's trunk. Default: `""`. */
  trunkId: shortText,
  /** The call's tenant. Default: `""`. */
  tenantId: shortText,
  /** The codec that was agreed on, such as `PCMU`. Default: `""`. */
  codec: shortText,
  /** When the event was sent, in Unix milliseconds (int64). Default: 0. */
  timestampMs: i64,
  /** The SDK instance that it is for. Default: `""`. */
  clientId: shortText,
} as const;

/** An event of a call. */
export interface CallEvent extends ValueOf<typeof callEvent> {}

/** An event of a call. */
export const CallEvent: Message<CallEvent> = /* @__PURE__ */ message("CallEvent", callEvent);

/** Subscribes to events, which then arrive as `CallEvent` pushes. */
export const StreamEvents = {
  name: "StreamEvents",
  id: 959835745,
  request: EventStreamRequest,
  reply: Empty,
} as const;

/** Push: an event of a call. It has the id of `StreamEvents`. */
export const CallEventPush = {
  name: "CallEvent",
  id: 959835745,
  request: CallEvent,
  reply: undefined,
} as const;
