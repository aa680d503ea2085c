/**
 * Reading a request's stream: one frame, then the rest until FIN, both within bounds.
 *
 * @module
 */

import type { ByteBudget } from "../../base/unfinished.ts";
import type { ByteReader } from "../../transport/mod.ts";
import { type Frame, FrameReader } from "../../wire/mod.ts";

/** What is read of a request at a time: most have less than two hundred bytes. */
export const REQUEST_BYTES = 1_024;

/** Reads the one frame of a request; what has arrived of it counts as `unfinished`. Rejects with `ERR_WIRE_INVALID` for invalid bytes, and as the stream does. */
export async function readRequest(
  reader: ByteReader,
  limitBytes: number,
  unfinished?: ByteBudget,
): Promise<Frame> {
  const frames = new FrameReader({ rule: "request", limitBytes });
  let held = 0;
  try {
    while (true) {
      const { value, done } = await reader.read();
      const [frame] = done ? [] : frames.push(value);
      if (frame !== undefined) return frame;
      if (done) {
        frames.end();
        throw new StreamEnded();
      }
      if (unfinished?.take(frames.pendingBytes - held) === false) throw new TooMuchUnfinished();
      held = frames.pendingBytes;
    }
  } finally {
    unfinished?.give(held);
  }
}

/** More requests have begun and not ended than a session or tenant is allowed. */
export class TooMuchUnfinished extends Error {
  override readonly name = "TooMuchUnfinished";
}

/** A stream that ended before it said anything. */
export class StreamEnded extends Error {
  override readonly name = "StreamEnded";
}

/**
 * Reads a stream to its FIN, so that its credit returns, but not further than `limitBytes`.
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
