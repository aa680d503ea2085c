/**
 * Reading a request's stream: one frame, then whatever is left until FIN, both within bounds.
 *
 * @module
 */

import type { ByteReader } from "../../transport/mod.ts";
import { type Frame, FrameReader } from "../../wire/mod.ts";

/** What is read of a request at a time: most have less than two hundred bytes. */
export const REQUEST_BYTES = 1_024;

/** Reads the one frame of a request. Rejects with `ERR_WIRE_INVALID` for bytes that are none, and as the stream does. */
export async function readRequest(
  reader: ByteReader,
  limitBytes: number,
): Promise<Frame> {
  const frames = new FrameReader({ rule: "request", limitBytes });
  while (true) {
    const { value, done } = await reader.read();
    const [frame] = done ? [] : frames.push(value);
    if (frame !== undefined) return frame;
    if (done) {
      frames.end();
      throw new StreamEnded();
    }
  }
}

/** A stream that ended before it said anything. */
export class StreamEnded extends Error {
  override readonly name = "StreamEnded";
}

/**
 * Reads a stream to its FIN, so that its credit returns (runtimes.md section 3), but not further than `limitBytes`.
 * What is read is dropped.
 */
export async function drain(
  reader: ByteReader,
  limitBytes: number,
): Promise<void> {
  let left = limitBytes;
  while (left > 0) {
    const { value, done } = await reader.read();
    if (done) return;
    left -= value.length;
  }
  await reader.cancel();
}
