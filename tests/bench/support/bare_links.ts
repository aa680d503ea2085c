/**
 * The floor under audio links: the same frames through one standard stream each way per call, over the bare transport. Written by hand for frames of
 * one size, of which nothing is checked, ordered, paced or counted.
 *
 * @module
 */

import type { WebTransportLike } from "../../../src/transport/mod.ts";
import { AudioFrameEncoder } from "../../../src/wire/mod.ts";
import { PAYLOAD_BYTES, type TalkLink } from "./talker.ts";

/** Options of {@linkcode openBareLinks}. */
export interface BareLinksOptions {
  readonly count: number;
  /** How many links share an outgoing stream. */
  readonly perStream: number;
}

// Length, method id, envelope header and the length of the call's id come before it; the length of the payload behind its 36 bytes.
const SID_OFFSET = 18;
const PAYLOAD_OFFSET = SID_OFFSET + 36 + 4;

/** A frame as a call sends it. */
export function bareFrame(): Uint8Array {
  const encoder = new AudioFrameEncoder({ callSid: crypto.randomUUID(), codec: "PCMU" });
  return encoder.encode(new Uint8Array(PAYLOAD_BYTES), 1);
}

/** Opens links on a session whose peer sends back whole frames. */
export async function openBareLinks(
  transport: WebTransportLike,
  { count, perStream }: BareLinksOptions,
): Promise<TalkLink[]> {
  const frame = bareFrame();
  const controllers: ReadableStreamDefaultController<{ readonly payload: Uint8Array }>[] = [];
  const links: TalkLink[] = [];
  let waiting: (() => void)[] = [];
  const flushAll = (): void => {
    const flushes = waiting;
    waiting = [];
    for (const flush of flushes) flush();
  };
  for (let first = 0; first < count; first += perStream) {
    const stream = (await transport.createUnidirectionalStream()).getWriter();
    let batch: { readonly head: Uint8Array; readonly payload: Uint8Array }[] = [];
    const flush = (): void => {
      const bytes = new Uint8Array(batch.length * frame.length);
      for (const [i, { head, payload }] of batch.entries()) {
        bytes.set(head, i * frame.length);
        bytes.set(payload, i * frame.length + PAYLOAD_OFFSET);
      }
      batch = [];
      stream.write(bytes).catch(() => {});
    };
    for (let number = first; number < Math.min(first + perStream, count); number++) {
      const head = frame.slice();
      new DataView(head.buffer).setUint32(SID_OFFSET, number);
      links.push({
        readable: new ReadableStream({
          start(controller) {
            controllers.push(controller);
          },
        }),
        writable: new WritableStream({
          write(payload) {
            // One write per turn and stream.
            if (batch.push({ head, payload }) > 1) return;
            if (waiting.push(flush) === 1) setTimeout(flushAll, 0);
          },
        }),
      });
    }
  }
  void deliver(transport, frame.length, (bytes) => {
    const { buffer, byteOffset } = bytes;
    const number = new DataView(buffer, byteOffset).getUint32(SID_OFFSET);
    const payload = bytes.slice(PAYLOAD_OFFSET, PAYLOAD_OFFSET + PAYLOAD_BYTES);
    controllers[number]!.enqueue({ payload });
  });
  return links;
}

/** Cuts what comes on a session's streams into frames of one size. */
async function deliver(
  transport: WebTransportLike,
  frameBytes: number,
  take: (frame: Uint8Array) => void,
): Promise<void> {
  const rest = new Uint8Array(frameBytes);
  let filled = 0;
  try {
    for await (const stream of transport.incomingUnidirectionalStreams) {
      for await (const chunk of stream) {
        let at = 0;
        if (filled > 0) {
          at = Math.min(frameBytes - filled, chunk.length);
          rest.set(chunk.subarray(0, at), filled);
          filled += at;
          if (filled < frameBytes) continue;
          take(rest);
        }
        for (; chunk.length - at >= frameBytes; at += frameBytes) {
          take(chunk.subarray(at, at + frameBytes));
        }
        rest.set(chunk.subarray(at));
        filled = chunk.length - at;
      }
    }
  } catch {
    // The session is over.
  }
}
