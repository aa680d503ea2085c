/**
 * A simulated line into the playback: frames of 20 ms arrive when a trace says so, the sound card takes 128 samples at a time.
 *
 * @module
 */

import { Playback, type PlaybackStats } from "../../../../src/browser/worklet/playback.ts";

const QUANTUM = 128;
const FRAME_MS = 20;

/** A trace, and how it is played. */
export interface Trace {
  readonly seconds: number;
  readonly sampleRate?: number;
  readonly slackMs?: number;
  /** How much faster than the sound card's clock the sender's is, in parts per million. */
  readonly ppm?: number;
  /** When a frame arrives that was sent at `sentMs`. Default: 30 ms later. */
  readonly arrival?: (sentMs: number) => number;
  /** The samples of the stream. Default: 200 Hz at a tenth of full scale. */
  readonly sample?: (index: number) => number;
  /** Called before the card takes samples at a time in milliseconds. */
  readonly at?: (timeMs: number, playback: Playback) => void;
}

/** What came of a trace. */
export interface Outcome {
  /** What was played, at the card's rate. */
  readonly sound: Float32Array;
  /** How long the newest sample waited, one value for each frame that arrived. */
  readonly waits: readonly { readonly timeMs: number; readonly waitMs: number }[];
  readonly stats: PlaybackStats;
}

/** Plays a trace. */
export function play(trace: Trace): Outcome {
  const { seconds, sampleRate = 48_000, slackMs = 30, ppm = 0 } = trace;
  const { arrival = (sentMs: number) => sentMs + 30, at = () => {} } = trace;
  const { sample = (index: number) => 3_277 * Math.sin(2 * Math.PI * 200 * index / sampleRate) } =
    trace;
  const playback = new Playback({ sampleRate, slackMs });
  const sound = new Float32Array(Math.floor(seconds * sampleRate / QUANTUM) * QUANTUM);
  const waits: { timeMs: number; waitMs: number }[] = [];
  const frameMs = FRAME_MS / (1 + ppm / 1e6);
  const length = Math.round(FRAME_MS * sampleRate / 1_000);
  // Frames never overtake each other: they come on one ordered stream.
  let sent = 0;
  let dueMs = arrival(frameMs);
  for (let offset = 0; offset < sound.length; offset += QUANTUM) {
    const timeMs = offset / sampleRate * 1_000;
    for (; dueMs <= timeMs; dueMs = Math.max(dueMs, arrival((sent + 1) * frameMs))) {
      const frame = Int16Array.from({ length }, (_, i) => Math.round(sample(sent * length + i)));
      playback.push(frame);
      sent++;
      waits.push({ timeMs, waitMs: playback.stats().bufferedMs });
    }
    at(timeMs, playback);
    playback.render(sound.subarray(offset, offset + QUANTUM));
  }
  return { sound, waits, stats: playback.stats() };
}

/** The value below which a part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)]!;
}

/** The largest step from one sample to the next. */
export function largestStep(sound: Float32Array): number {
  let step = 0;
  for (let i = 1; i < sound.length; i++) step = Math.max(step, Math.abs(sound[i]! - sound[i - 1]!));
  return step;
}
