/**
 * Events (protocol.md sections 5.5 and 7).
 *
 * @module
 */

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
>("EventStreamRequest", (io, value) => ({ clientId: io.text(value.clientId) }));

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
  (io, value) => ({
    callSid: io.text(value.callSid),
    eventType: io.i32(value.eventType),
    status: io.text(value.status),
    startTimestampMs: io.i64(value.startTimestampMs),
    q850Cause: io.i32(value.q850Cause),
    recordingUrl: io.text(value.recordingUrl),
    durationSeconds: io.i32(value.durationSeconds),
    answerTimestampMs: io.i64(value.answerTimestampMs),
    endTimestampMs: io.i64(value.endTimestampMs),
    packetsSent: io.u32(value.packetsSent),
    packetsReceived: io.u32(value.packetsReceived),
    packetsLost: io.u32(value.packetsLost),
    bytesSent: io.u64(value.bytesSent),
    jitterMs: io.f64(value.jitterMs),
    estimatedMos: io.f64(value.estimatedMos),
    trunkId: io.text(value.trunkId),
    tenantId: io.text(value.tenantId),
    codec: io.text(value.codec),
    timestampMs: io.i64(value.timestampMs),
    clientId: io.text(value.clientId),
  }),
);
