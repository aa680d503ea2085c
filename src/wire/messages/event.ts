/**
 * Events (protocol.md sections 5.5 and 7).
 *
 * @module
 */

import { f64, i32, i64, text, u32, u64 } from "../field.ts";
import { type Message, message } from "../message.ts";

/** What happened to a call: what `eventType` fields hold (section 5.1). Unknown numbers are kept. */
export const EventType = {
  /** Reserved: log it and drop it. */
  UNKNOWN: 0,
  /** The callee's leg exists; no audio yet. */
  CHANNEL_CREATE: 1,
  /** The far end picked up; audio flows. */
  CHANNEL_ANSWER: 2,
  /** The last event of a call, with its accounts. */
  CHANNEL_HANGUP_COMPLETE: 3,
  /** The call is on hold. */
  CHANNEL_HOLD: 4,
  /** The hold is lifted. */
  CHANNEL_RESUME: 5,
} as const;

/** Asks for the tenant's events, and lets the gateway open streams to this session. */
export interface EventStreamRequest {
  /** This SDK instance: a UUID v4, the same across reconnects. Default: `""`. */
  readonly clientId: string;
}

/** Asks for the tenant's events, and lets the gateway open streams to this session. */
export const EventStreamRequest: Message<EventStreamRequest> = /* @__PURE__ */ message<
  EventStreamRequest
>("EventStreamRequest", () => ({ clientId: text }));

/** Something happened to a call. */
export interface CallEvent {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
  /** An `EventType` (int32). Default: 0. */
  readonly eventType: number;
  /** Coarse state, an open set: `RINGING`, `COMPLETED` and others. Default: `""`. */
  readonly status: string;
  /** When the call began, in Unix milliseconds (int64). Default: 0. */
  readonly startTimestampMs: number;
  /** Why it ended, by ITU-T Q.850 (int32). Default: 0. */
  readonly q850Cause: number;
  /** Where the recording is. Default: `""`, there is none. */
  readonly recordingUrl: string;
  /** How long it lasted, in seconds (int32). Default: 0. */
  readonly durationSeconds: number;
  /** When it was answered, in Unix milliseconds (int64). Default: 0. */
  readonly answerTimestampMs: number;
  /** When it ended, in Unix milliseconds (int64). Default: 0. */
  readonly endTimestampMs: number;
  /** RTP packets sent (uint32). Default: 0. */
  readonly packetsSent: number;
  /** RTP packets received (uint32). Default: 0. */
  readonly packetsReceived: number;
  /** RTP packets lost (uint32). Default: 0. */
  readonly packetsLost: number;
  /** Bytes sent (uint64). Default: 0. */
  readonly bytesSent: number;
  /** Jitter in milliseconds (double). Default: 0. */
  readonly jitterMs: number;
  /** Estimated mean opinion score, 1 to 5 (double). Default: 0. */
  readonly estimatedMos: number;
  /** The call's trunk. Default: `""`. */
  readonly trunkId: string;
  /** The call's tenant. Default: `""`. */
  readonly tenantId: string;
  /** The codec that was agreed on, such as `PCMU`. Default: `""`. */
  readonly codec: string;
  /** When the event was sent, in Unix milliseconds (int64). Default: 0. */
  readonly timestampMs: number;
  /** The SDK instance that it is for. Default: `""`. */
  readonly clientId: string;
}

/** Something happened to a call. */
export const CallEvent: Message<CallEvent> = /* @__PURE__ */ message<CallEvent>(
  "CallEvent",
  () => ({
    callSid: text,
    eventType: i32,
    status: text,
    startTimestampMs: i64,
    q850Cause: i32,
    recordingUrl: text,
    durationSeconds: i32,
    answerTimestampMs: i64,
    endTimestampMs: i64,
    packetsSent: u32,
    packetsReceived: u32,
    packetsLost: u32,
    bytesSent: u64,
    jitterMs: f64,
    estimatedMos: f64,
    trunkId: text,
    tenantId: text,
    codec: text,
    timestampMs: i64,
    clientId: text,
  }),
  {
    construct: (reader) => ({
      callSid: reader.next(),
      eventType: reader.next(),
      status: reader.next(),
      startTimestampMs: reader.next(),
      q850Cause: reader.next(),
      recordingUrl: reader.next(),
      durationSeconds: reader.next(),
      answerTimestampMs: reader.next(),
      endTimestampMs: reader.next(),
      packetsSent: reader.next(),
      packetsReceived: reader.next(),
      packetsLost: reader.next(),
      bytesSent: reader.next(),
      jitterMs: reader.next(),
      estimatedMos: reader.next(),
      trunkId: reader.next(),
      tenantId: reader.next(),
      codec: reader.next(),
      timestampMs: reader.next(),
      clientId: reader.next(),
    }),
  },
);
