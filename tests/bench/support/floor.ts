/**
 * The floor: for each measured message a loop written by hand for it alone, that checks nothing but what the bytes need. Its texts are
 * ASCII. What the library adds to it is what declarations, checks and errors cost.
 *
 * @module
 */

import type { AudioFrame, CallEvent, OriginateRequest } from "../../../src/wire/mod.ts";

const scratch = new Uint8Array(4096);
const view = new DataView(scratch.buffer);
const TWO_32 = 2 ** 32;

function putText(at: number, text: string): number {
  view.setInt32(at, text.length, true);
  at += 4;
  for (let i = 0; i < text.length; i++) scratch[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function putLong(at: number, value: number): number {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
  return at + 8;
}

function finish(end: number, version: number): Uint8Array {
  scratch[0] = version;
  scratch[1] = 0;
  view.setInt32(2, end - 6, true);
  return scratch.slice(0, end);
}

/** Encodes an `AudioFrame`. */
export function encodeAudioFrame(frame: AudioFrame): Uint8Array {
  let at = putText(6, frame.callSid);
  view.setInt32(at, frame.payload.length, true);
  scratch.set(frame.payload, at + 4);
  at = putText(at + 4 + frame.payload.length, frame.codec);
  at = putLong(at, frame.sequenceNumber);
  scratch[at] = frame.endOfStream ? 1 : 0;
  return finish(at + 1, 0);
}

/** Encodes an `OriginateRequest`. */
export function encodeOriginateRequest(request: OriginateRequest): Uint8Array {
  let at = putText(6, request.trunkId);
  at = putText(at, request.to);
  at = putText(at, request.callFrom);
  at = putText(at, request.aiWebsocketUrl);
  at = putText(at, request.aiQuicUrl);
  at = putText(at, request.tenantId);
  view.setInt32(at, request.maxDurationMs, true);
  at = putText(at + 4, request.callSid);
  view.setInt32(at, request.defaultApp, true);
  at = putText(at + 4, request.defaultAppArgs);
  scratch[at] = request.autoBargeIn ? 1 : 0;
  view.setInt32(at + 1, request.bargeInPatienceMs, true);
  at = putText(at + 5, request.clientId);
  view.setUint32(at, request.sessionId, true);
  at = putText(at + 4, request.agentConfigKey);
  return finish(putText(at, request.traceparent), 1);
}

/** Reads fields by hand. */
class Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 6;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  text(): string {
    const size = this.view.getInt32(this.at, true);
    const from = this.at + 4;
    const to = from + size;
    if (size < 0 || to > this.bytes.length) throw new Error("short");
    this.at = to;
    let text = "";
    for (let i = from; i < to; i++) text += String.fromCharCode(this.bytes[i]!);
    return text;
  }

  binary(): Uint8Array {
    const size = this.view.getInt32(this.at, true);
    const from = this.at + 4;
    if (size < 0 || from + size > this.bytes.length) throw new Error("short");
    this.at = from + size;
    return this.bytes.subarray(from, from + size);
  }

  i32(): number {
    this.at += 4;
    return this.view.getInt32(this.at - 4, true);
  }

  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  long(): number {
    this.at += 8;
    return this.view.getInt32(this.at - 4, true) * TWO_32 + this.view.getUint32(this.at - 8, true);
  }

  double(): number {
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  }
}

/** Decodes an `AudioFrame`. */
export function decodeAudioFrame(bytes: Uint8Array): AudioFrame {
  const cursor = new Cursor(bytes);
  return {
    callSid: cursor.text(),
    payload: cursor.binary(),
    codec: cursor.text(),
    sequenceNumber: cursor.long(),
    endOfStream: bytes[cursor.at] !== 0,
  };
}

/** Decodes a `CallEvent`. */
export function decodeCallEvent(bytes: Uint8Array): CallEvent {
  const cursor = new Cursor(bytes);
  return {
    callSid: cursor.text(),
    eventType: cursor.i32(),
    status: cursor.text(),
    startTimestampMs: cursor.long(),
    q850Cause: cursor.i32(),
    recordingUrl: cursor.text(),
    durationSeconds: cursor.i32(),
    answerTimestampMs: cursor.long(),
    endTimestampMs: cursor.long(),
    packetsSent: cursor.u32(),
    packetsReceived: cursor.u32(),
    packetsLost: cursor.u32(),
    bytesSent: cursor.long(),
    jitterMs: cursor.double(),
    estimatedMos: cursor.double(),
    trunkId: cursor.text(),
    tenantId: cursor.text(),
    codec: cursor.text(),
    timestampMs: cursor.long(),
    clientId: cursor.text(),
  };
}

/**
 * Cuts chunks into frames of `4 + envelope` and hands each envelope on. What is unfinished at the end of a chunk is joined with the
 * start of the next one.
 */
export class FloorDemux {
  #rest: Uint8Array | undefined;
  readonly #onFrame: (methodId: number, envelope: Uint8Array) => void;

  constructor(onFrame: (methodId: number, envelope: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    const rest = this.#rest;
    if (rest !== undefined) {
      // Only the first frame needs joining.
      const head = new Uint8Array(8);
      head.set(rest.subarray(0, 8));
      if (rest.length < 8) head.set(chunk.subarray(0, 8 - rest.length), rest.length);
      if (rest.length + chunk.length < 8) return this.#join(rest, chunk);
      const view = new DataView(head.buffer);
      const total = 4 + view.getUint32(0, true);
      if (rest.length + chunk.length < total) return this.#join(rest, chunk);
      const frame = new Uint8Array(total);
      frame.set(rest);
      at = total - rest.length;
      frame.set(chunk.subarray(0, at), rest.length);
      this.#rest = undefined;
      this.#onFrame(view.getUint32(4, true), frame.subarray(8));
    }
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    while (chunk.length - at >= 8) {
      const total = 4 + view.getUint32(at, true);
      if (chunk.length - at < total) break;
      this.#onFrame(view.getUint32(at + 4, true), chunk.subarray(at + 8, at + total));
      at += total;
    }
    this.#rest = at < chunk.length ? chunk.subarray(at) : undefined;
  }

  #join(rest: Uint8Array, chunk: Uint8Array): void {
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    this.#rest = joined;
  }
}
