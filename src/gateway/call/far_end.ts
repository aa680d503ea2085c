/**
 * What sounds at the far end of a call by itself: an echo, a lossy echo, a tone. Seeded, and on the gateway's clock.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { encodePcmu, toneSamples } from "../../audio/mod.ts";
import type { Random } from "../../base/random.ts";
import type { Ticker } from "./ticker.ts";

/** What is heard from a far end. */
export type Media = "echo" | "tone" | "lossy echo";

/** One packet from a far end. */
export interface Speech {
  /** The samples, in `codec`. Lent for as long as it is being said: copied when it is kept. */
  readonly payload: Uint8Array;
  /** The wire's codec name. */
  readonly codec: string;
  /** Its place in the stream; a packet that was lost on the way leaves a gap. */
  readonly sequenceNumber: number;
}

/** Where a far end speaks to. */
export interface FarEndOptions {
  /** What it plays. */
  readonly media: Media;
  readonly random: Random;
  readonly ticker: Ticker;
  /** The next place in the stream of what is heard from it; a packet takes its place even when it is lost. */
  readonly allocate: () => number;
  /** Takes what it says. */
  readonly say: (speech: Speech) => void;
  /** Called when a packet was lost on the way from it. */
  readonly lost: () => void;
}

/** The phone at the other side of an answered call. */
export interface FarEnd {
  /** Takes a packet. The payload is copied when it is kept. */
  hear(payload: Uint8Array, codec: string): void;
  /** Stops what it plays by itself. */
  hush(): void;
  /** Ends it: what it holds back is said. */
  close(): void;
}

/** Makes the phone of an answered call. */
export function createFarEnd(options: FarEndOptions): FarEnd {
  const { media, ticker, allocate, say } = options;
  if (media === "lossy echo") return createLossyEcho(options);
  const hush = media === "tone"
    ? playTone(ticker, (payload) => say({ payload, codec: "PCMU", sequenceNumber: allocate() }))
    : ignore;
  return {
    hear(payload, codec) {
      if (media === "echo") say({ payload, codec, sequenceNumber: allocate() });
    },
    hush,
    close: hush,
  };
}

const LOSE_EVERY = 10;
const SWAP_PROBABILITY = 0.1;

/** An echo over a bad line: every tenth packet is lost, and some arrive after the one that followed them. */
function createLossyEcho({ random, allocate, say, lost }: FarEndOptions): FarEnd {
  let heard = 0;
  let held: Speech | undefined;
  const release = (): void => {
    if (held !== undefined) say(held);
    held = undefined;
  };
  return {
    hear(payload, codec) {
      const speech = { payload, codec, sequenceNumber: allocate() };
      if (++heard % LOSE_EVERY === 0) {
        lost();
        // After this one, too: perhaps none follows.
        return release();
      }
      if (held === undefined && random() < SWAP_PROBABILITY) {
        held = { ...speech, payload: payload.slice() };
        return;
      }
      say(speech);
      release();
    },
    hush: release,
    close: release,
  };
}

/** Plays the 440 Hz test tone as PCMU, a frame at each tick, the first at once. Returns what ends it. */
export function playTone(ticker: Ticker, play: (payload: Uint8Array) => void): () => void {
  let frame = 0;
  return ticker.add(() => play(toneFrame(frame++)));
}

const TONE_HZ = 440;
const FRAME_SAMPLES = 160;
// 440 Hz makes 44 whole periods in five frames of 20 ms, so five frames play for ever.
const TONE_FRAMES = 5;
let tone: Uint8Array | undefined;

/** A frame of the test tone, counted from 0. It is shared: receivers do not change it. */
export function toneFrame(index: number): Uint8Array {
  tone ??= encodePcmu(
    toneSamples({ frequencyHz: TONE_HZ, sampleRate: 8_000, milliseconds: 20 * TONE_FRAMES }),
  );
  const start = (index % TONE_FRAMES) * FRAME_SAMPLES;
  return tone.subarray(start, start + FRAME_SAMPLES);
}
