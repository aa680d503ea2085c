import type { Call, ReceivedFrame } from "@telequick/sdk";
import { equal } from "./check.ts";

const FRAME_BYTES = 160;

/** PCMU frames of 20 ms that all differ: each begins with its number. */
export function speech(frames: number): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(
    { length: FRAME_BYTES * frames },
    (_, i) => (i * 167 + (i >> 5)) & 255,
  );
  for (let frame = 0; frame < frames; frame++) bytes[FRAME_BYTES * frame] = frame;
  return bytes;
}

/** Says bytes on a call whose far end echoes, and returns the frames that come back. */
export async function sayAndHear(
  call: Call,
  spoken: Uint8Array,
): Promise<readonly ReceivedFrame[]> {
  const link = call.audio({ leadMs: 10_000 });
  const writer = link.writable.getWriter();
  const speaking = writer.write(spoken).then(() => writer.close());
  const frames: ReceivedFrame[] = [];
  const reader = link.readable.getReader();
  while (frames.length < spoken.length / FRAME_BYTES) {
    const { value, done } = await reader.read();
    if (done) break;
    if (value.payload.length > 0) frames.push(value);
  }
  reader.releaseLock();
  await speaking;
  return frames;
}

/** Demands that what was said is heard: byte for byte, in order, under numbers that count up. */
export function isEcho(frames: readonly ReceivedFrame[], spoken: Uint8Array): void {
  equal(joined(frames), spoken, "what is heard");
  frames.forEach(({ sequenceNumber }, i) =>
    equal(sequenceNumber, frames[0]!.sequenceNumber + i, "sequence number")
  );
}

/**
 * Demands that every frame that was said is heard, once. Where a session took over from another, the last frames of the one and
 * the first of the other may have passed each other on the way.
 */
export function isEchoInAnyOrder(frames: readonly ReceivedFrame[], spoken: Uint8Array): void {
  const sorted = [...frames].sort((a, b) => a.payload[0]! - b.payload[0]!);
  equal(joined(sorted), spoken, "what is heard, in order");
}

function joined(frames: readonly ReceivedFrame[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(frames.flatMap(({ payload }) => [...payload]));
}
