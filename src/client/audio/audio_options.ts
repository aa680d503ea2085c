/**
 * Options of a link, checked once.
 *
 * @module
 */

import { type AudioCodec, audioCodecs, frameMilliseconds, isAudioCodec } from "../../audio/mod.ts";
import { checkNumber, kindOf, type NumberRange } from "../../base/check.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { AudioOptions } from "./audio_link.ts";

/** {@linkcode AudioOptions} with every default in its place. */
export interface ResolvedAudioOptions {
  readonly codec: AudioCodec;
  readonly sampleRate: number;
  readonly source: "speech" | "live";
  readonly earlyMedia: boolean;
  readonly leadMs: number;
  readonly silence: "pause" | "send";
  readonly jitterBufferMs: number | undefined;
  readonly receiveCapacity: number;
}

const CANNOT_OPEN = "Cannot open the audio of the call";
const LOWEST_RATE = 8_000;
const HIGHEST_RATE = 48_000;

/** Checks options and fills in defaults. Throws `ERR_VALUE_INVALID` naming the option that is out of range, `TypeError` one of another type. */
export function resolveAudioOptions(options: AudioOptions): ResolvedAudioOptions {
  const { codec = "PCMU", source = "speech", silence = "pause", earlyMedia = false } = options;
  const { leadMs = 200, receiveCapacity = 100, jitterBufferMs } = options;
  oneOf("codec", codec, Object.keys(audioCodecs));
  const own = isAudioCodec(codec) ? audioCodecs[codec].sampleRate : LOWEST_RATE;
  const { sampleRate = own } = options;
  number("sampleRate", sampleRate, { min: LOWEST_RATE, max: HIGHEST_RATE, integer: true });
  oneOf("source", source, ["speech", "live"]);
  oneOf("silence", silence, ["pause", "send"]);
  if (typeof earlyMedia !== "boolean") {
    throw new TypeError(`${CANNOT_OPEN}: earlyMedia is ${kindOf(earlyMedia)}, expected a boolean`);
  }
  number("leadMs", leadMs, { min: frameMilliseconds, max: 10_000, expected: "20 to 10000" });
  number("receiveCapacity", receiveCapacity, {
    ...{ min: 1, max: Number.MAX_SAFE_INTEGER, integer: true },
    expected: "a positive number of frames",
  });
  if (jitterBufferMs !== undefined) {
    number("jitterBufferMs", jitterBufferMs, { min: 0, max: 1_000, expected: "0 to 1000" });
  }
  const resolved = { codec, sampleRate, source, silence, earlyMedia, leadMs };
  return { ...resolved, receiveCapacity, jitterBufferMs };
}

/** Throws `ERR_VALUE_INVALID`, naming the difference, when options ask for another link than the open one. */
export function checkSameOptions(open: ResolvedAudioOptions, asked: AudioOptions): void {
  for (const name of Object.keys(open) as (keyof ResolvedAudioOptions)[]) {
    const value = asked[name];
    if (value === undefined || value === open[name]) continue;
    throw invalid(
      `its link is open with ${name} ${
        open[name] ?? "left out"
      }, and ${value} was asked for (close the open link first, or leave the option out)`,
    );
  }
}

function oneOf(name: string, value: unknown, values: readonly string[]): void {
  if (values.includes(value as string)) return;
  const found = typeof value === "string" ? JSON.stringify(value.slice(0, 32)) : String(value);
  throw invalid(`${name} is ${found}, expected one of ${values.join(", ")}`);
}

function number(name: string, value: unknown, range: NumberRange): void {
  checkNumber("open the audio of the call", name, value, range);
}

function invalid(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `${CANNOT_OPEN}: ${found}`);
}
