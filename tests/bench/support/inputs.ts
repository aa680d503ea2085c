import type { AudioFrame, CallEvent, OriginateRequest } from "../../../src/wire/mod.ts";

/** How many different inputs a bench goes through: no contender sees the same bytes or strings twice in a row. */
export const INPUTS = 64;

/** A function that gives the next of some values, round and round. */
export function cycle<T>(values: readonly T[]): () => T {
  let index = 0;
  return () => {
    index = index + 1 === values.length ? 0 : index + 1;
    return values[index]!;
  };
}

function sid(index: number): string {
  return `CA7f3c9e1204b84d5f9a6e0c1d2b3a${
    (0x4f55 + index * 7919 & 0xffff).toString(16).padStart(4, "0")
  }`;
}

/** Packets of 20 ms PCMU of 64 calls. */
export const audioFrames: readonly AudioFrame[] = Array.from({ length: INPUTS }, (_, index) => ({
  callSid: sid(index),
  payload: Uint8Array.from({ length: 160 }, (_, i) => (i * 37 + index * 11) & 0xff),
  codec: "PCMU",
  sequenceNumber: 1234 + index,
  endOfStream: false,
}));

/** The last events of 64 calls. */
export const callEvents: readonly CallEvent[] = Array.from({ length: INPUTS }, (_, index) => ({
  callSid: sid(index),
  eventType: 3,
  status: "COMPLETED",
  startTimestampMs: 1767225600123 + index,
  q850Cause: 16,
  recordingUrl: `https://rec.example.com/2026/01/01/${sid(index)}.wav`,
  durationSeconds: 93 + index,
  answerTimestampMs: 1767225604223 + index,
  endTimestampMs: 1767225697223 + index,
  packetsSent: 4650 + index,
  packetsReceived: 4644,
  packetsLost: 6,
  bytesSent: 799800 + index,
  jitterMs: 3.75,
  estimatedMos: 4.41,
  trunkId: "trunk-eu-1",
  tenantId: "tenant_42",
  codec: "PCMU",
  timestampMs: 1767225697323 + index,
  clientId: "3f0b1c9a-6d1e-4f0e-9f9d-8b7a6c5d4e3f",
}));

/** Calls to 64 numbers. */
export const originateRequests: readonly OriginateRequest[] = Array.from(
  { length: INPUTS },
  (_, index) => ({
    trunkId: "trunk-eu-1",
    to: `+49151123456${index + 10}`,
    callFrom: "+493012345",
    aiWebsocketUrl: "wss://bot.example.com/media?x=1&y=2",
    aiQuicUrl: "",
    tenantId: "tenant_42",
    maxDurationMs: 3600000,
    callSid: sid(index),
    defaultApp: 6,
    defaultAppArgs: "room=7",
    autoBargeIn: true,
    bargeInPatienceMs: 250,
    clientId: "3f0b1c9a-6d1e-4f0e-9f9d-8b7a6c5d4e3f",
    sessionId: 77 + index,
    agentConfigKey: "agents/sales/v3",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  }),
);
