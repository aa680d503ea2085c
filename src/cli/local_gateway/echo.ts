/**
 * Measures a call's audio against a far end that sends every frame back.
 *
 * @module
 */

import type { Call } from "../../client/mod.ts";
import { type Clock, sleep } from "../../base/signal.ts";

/** Options of {@linkcode measureEcho}. */
export interface MeasureEchoOptions {
  /** How long to speak, in seconds. */
  readonly seconds: number;
  readonly clock: Clock;
  /** Ends the speaking early; what was measured by then is told. */
  readonly signal: AbortSignal;
  /** Called for every frame that went out and came back. */
  readonly onFrame?: (kind: "sent" | "returned") => void;
}

/** What came back. Counts are frames of 20 ms. */
export interface EchoReport {
  readonly sent: number;
  /** Came back as they were sent. */
  readonly returned: number;
  /** Were sent and did not come back. */
  readonly lost: number;
  /** Of the lost ones, those that this side dropped because no stream took them in time. */
  readonly unsent: number;
  /** Came back with other bytes, or were never sent: the far end does not echo, or something on the way recodes. */
  readonly foreign: number;
  /** Interarrival jitter of what was received, in milliseconds (RFC 3550 section 6.4.1). */
  readonly jitterMs: number;
  /** From the moment a frame left to its return, in milliseconds, sorted. */
  readonly roundTripsMs: readonly number[];
}

const FRAME_BYTES = 160;
const FRAMES_PER_SECOND = 50;
// What is still on its way when the last frame has left.
const TAIL_MS = 1_000;
const MARK = 0x7e1eca11;

/** Speaks numbered frames for a while and times each one's return. */
export async function measureEcho(call: Call, options: MeasureEchoOptions): Promise<EchoReport> {
  const { seconds, clock, signal, onFrame } = options;
  const link = call.audio({ codec: "PCMU", receiveCapacity: 500 });
  const sentAt: number[] = [];
  const roundTripsMs: number[] = [];
  const isBack = new Set<number>();
  const done = new AbortController();
  let foreign = 0;
  let hasSpoken = false;

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
      if (hasSpoken && isBack.size === sentAt.length) break;
    }
    done.abort();
  })();
  // Where both fail, the speaker's error is the one that is told.
  listening.catch(() => {});
  const writer = link.writable.getWriter();
  try {
    for (let index = 0; index < seconds * FRAMES_PER_SECOND && !signal.aborted; index++) {
      // Settles in the turn in which the frame leaves: a write is one frame, and no other waits.
      await writer.write(frameOf(index));
      sentAt.push(clock.monotonic());
      onFrame?.("sent");
    }
  } catch (error) {
    // The far end hung up: what came back until then still counts.
    if (call.state !== "ended") throw error;
  }
  hasSpoken = true;
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

/** A frame that says which one it is, and is a tone of 1 kHz to the ear otherwise. */
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
