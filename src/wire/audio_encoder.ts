/**
 * Encodes the audio frames of one call. The bytes that all of them share are encoded once.
 *
 * @module
 */

import { readI32, writeU32, writeU64 } from "./bytes.ts";
import { requireBytes, valueError } from "./fault.ts";
import { FRAME_HEADER_BYTES, LEAST_FRAME_BYTES } from "./frame.ts";
import { AudioFrame, AudioFramePush } from "./messages/audio.ts";

// Sequence number and end-of-stream flag, the last fields.
const VARIABLE_BYTES = 9;

/** What all frames of an {@linkcode AudioFrameEncoder} share. */
export interface AudioFrameEncoderOptions {
  /** The call's id. */
  readonly callSid: string;
  /** The codec of the payloads: `PCMU`, `PCMA` or `PCM16`. */
  readonly codec: string;
}

/** Encodes whole `AudioFrame` frames (length, method id, envelope) of one call, byte for byte as `encodeFrame` does. */
export class AudioFrameEncoder {
  // Length, method id, envelope header, call id and payload length; then codec, sequence number and end of stream.
  readonly #head: Uint8Array;
  readonly #tail: Uint8Array;

  /**
   * Makes an encoder for one call and direction.
   *
   * @param options What all frames share.
   * @throws {TypeError} An option is not a string.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID`: a text holds a lone surrogate.
   */
  constructor(options: AudioFrameEncoderOptions) {
    const { callSid, codec } = options;
    const frame = AudioFrame.encode({ callSid, codec }, FRAME_HEADER_BYTES);
    writeU32(frame, 4, AudioFramePush.id);
    const split = LEAST_FRAME_BYTES + 4 + readI32(frame, LEAST_FRAME_BYTES) + 4;
    this.#head = frame.slice(0, split);
    this.#tail = frame.slice(split);
  }

  /** Where the payload begins in a frame. */
  get payloadOffset(): number {
    return this.#head.length;
  }

  /** Size in bytes of a frame whose payload has `payloadLength` bytes. */
  size(payloadLength: number): number {
    return this.#head.length + payloadLength + this.#tail.length;
  }

  /**
   * Writes a frame into `target`, beginning at `offset`.
   *
   * @param target The buffer to write to. It has room for `size(payload.length)` bytes from `offset` on.
   * @param offset Offset of the first byte of the frame.
   * @param payload The encoded samples.
   * @param sequenceNumber The frame's number, a safe integer of at least 0.
   * @param endOfStream Whether it is the last frame.
   * @returns Offset after the last byte of the frame.
   * @throws {TypeError} The payload is not a `Uint8Array`.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID`: the sequence number is not a safe integer of at least 0, or the room is too small.
   */
  encodeInto(
    target: Uint8Array,
    offset: number,
    payload: Uint8Array,
    sequenceNumber: number,
    endOfStream: boolean,
  ): number {
    check(payload, sequenceNumber);
    const head = this.#head;
    const size = this.size(payload.length);
    const end = offset + size;
    if (end > target.length) {
      throw valueError("encode AudioFrame: room", target.length - offset, `${size} bytes`);
    }
    target.set(head, offset);
    const body = offset + head.length;
    writeU32(target, offset, size - FRAME_HEADER_BYTES + 4);
    writeU32(target, offset + FRAME_HEADER_BYTES + 2, size - LEAST_FRAME_BYTES);
    writeU32(target, body - 4, payload.length);
    target.set(payload, body);
    target.set(this.#tail, body + payload.length);
    writeU64(target, end - VARIABLE_BYTES, sequenceNumber);
    target[end - 1] = endOfStream ? 1 : 0;
    return end;
  }

  /**
   * Gives a frame that was encoded before another number, in its place.
   *
   * @param bytes What holds the frame.
   * @param end Offset after the last byte of the frame.
   * @param sequenceNumber The frame's number, a safe integer of at least 0.
   */
  renumber(bytes: Uint8Array, end: number, sequenceNumber: number): void {
    writeU64(bytes, end - VARIABLE_BYTES, sequenceNumber);
  }

  /**
   * Encodes a frame into a fresh buffer.
   *
   * @param payload The encoded samples.
   * @param sequenceNumber The frame's number, a safe integer of at least 0.
   * @param endOfStream Whether it is the last frame. Default: `false`.
   * @throws {TypeError} The payload is not a `Uint8Array`.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID`: the sequence number is not a safe integer of at least 0.
   */
  encode(
    payload: Uint8Array,
    sequenceNumber: number,
    endOfStream = false,
  ): Uint8Array<ArrayBuffer> {
    requireBytes(payload, "encode", "AudioFrame", "payload");
    const frame = new Uint8Array(this.size(payload.length));
    this.encodeInto(frame, 0, payload, sequenceNumber, endOfStream);
    return frame;
  }
}

function check(payload: Uint8Array, sequenceNumber: number): void {
  requireBytes(payload, "encode", "AudioFrame", "payload");
  if (!Number.isSafeInteger(sequenceNumber) || sequenceNumber < 0) {
    const expected = "an integer from 0 to 9007199254740991";
    throw valueError("encode AudioFrame: sequenceNumber", String(sequenceNumber), expected);
  }
}
