/**
 * Measures a call's audio against a far end that sends every frame back.
 *
 * @module
 */

import type { Call } from "../../client/mod.ts";
import { type Clock, sleep } from "../../base/signal.ts";

/** Options of {@linkcode measureEcho}. */
export interface MeasureEchoOptions {
  /** How long to send, in seconds. */
  readonly seconds: number;
  readonly clock: Clock;
  /** Ends the measurement early; what was measured by then is returned. */
  readonly signal: AbortSignal;
  /** Called for every frame that was sent or returned. */
  readonly onFrame?: (kind: "sent" | "returned") => void;
}

/** The result. Counts are frames of 20 ms. */
export interface EchoReport {
  readonly sent: number;
  /** Returned unchanged. */
  readonly returned: number;
  /** Sent and not returned. */
  readonly lost: number;
  /** Those of the lost frames that this side dropped because no stream took them in time. */
  readonly unsent: number;
  /** Received with other bytes: the far end does not echo, or transcodes. */
  readonly foreign: number;
  /** Interarrival jitter of received frames, in milliseconds (RFC 3550 section 6.4.1). */
  readonly jitterMs: number;
  /** Round trip of each frame in milliseconds, sorted. */
  readonly roundTripsMs: readonly number[];
}

const FRAME_BYTES = 160;
const FRAMES_PER_SECOND = 50;
// Frames still in flight when the last one has been sent.
const TAIL_MS = 1_000;
const MARK = 0x7e1eca11;

/** Sends numbered frames and measures when each returns. */
export async function measureEcho(call: Call, options: MeasureEchoOptions): Promise<EchoReport> {
  const { seconds, clock, signal, onFrame } = options;
  const link = call.audio({ codec: "PCMU", receiveCapacity: 500 });
  const sentAt: number[] = [];
  const roundTripsMs: number[] = [];
  const isBack = new Set<number>();
  const done = new AbortController();
  let foreign = 0;
  let hasSent = false;

  const listening = (async () => {
    for await (const { payload } of link.readable) {
      const index = readMark(payload);
      const leftAt = index === undefined ? undefined : sentAt[index];
      if (leftAt === undefined) {
        if (payload.length > 0) foreign++;
      } else if (!isBack.has(index!)) {
        isBack.add(index!);
        roundTripsMs.push(clock.monotonic() - leftAt);
        onFrame?.("returned");
      }
      if (hasSent && isBack.size === sentAt.length) break;
    }
    done.abort();
  })();
  // When both fail, the sender's error is reported.
  listening.catch(() => {});
  const writer = link.writable.getWriter();
  try {
    for (let index = 0; index < seconds * FRAMES_PER_SECOND && !signal.aborted; index++) {
      // Resolves in the turn in which the frame is sent: a write is one frame, and no other waits.
      await writer.write(frameOf(index));
      sentAt.push(clock.monotonic());
      onFrame?.("sent");
    }
  } catch (error) {
    // The far end hung up: what returned until then counts.
    if (call.state !== "ended") throw error;
  }
  hasSent = true;
  if (isBack.size < sentAt.length) {
    await sleep(TAIL_MS, { clock, signal: done.signal }).catch(() => {});
  }
  const { jitterMs, sendDropped } = link.stats();
  await writer.close().catch(() => {});
  await link.close();
  await listening;
  return {
    sent: sentAt.length,
    returned: isBack.size,
    lost: sentAt.length - isBack.size,
    unsent: sendDropped,
    foreign,
    jitterMs,
    roundTripsMs: roundTripsMs.sort((a, b) => a - b),
  };
}

/** A frame of a 1 kHz tone that carries its number. */
function frameOf(index: number): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES);
  // ITU-T G.711, table 5: the eight samples of 1 kHz at 0 dBm0.
  for (let i = 0; i < FRAME_BYTES; i++) frame[i] = TONE[i % TONE.length]!;
  const view = new DataView(frame.buffer);
  view.setUint32(0, MARK);
  view.setUint32(4, index);
  return frame;
}

const TONE: readonly number[] = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e];

function readMark(payload: Uint8Array): number | undefined {
  if (payload.length !== FRAME_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset);
  return view.getUint32(0) === MARK ? view.getUint32(4) : undefined;
}
