/**
 * What a phone at the far end does, as data: one step after the other.
 *
 * @module
 */

import { encodePcmu, toneSamples } from "../../../audio/mod.ts";
import { kindOf } from "../../../base/check.ts";
import { TeleQuickError } from "../../../base/errors.ts";
import { toneFrame } from "../far_end.ts";

/**
 * One step of a phone. Times are milliseconds on the gateway's clock; the next step begins when this one is done. A step with `atMs`
 * begins so long after the answer, or at once when that has passed.
 */
export type PhoneStep =
  /** First step only: the gateway refuses the dial with this `ErrorCode`, and there is no call. */
  | { readonly type: "refuse"; readonly errorCode: number }
  /** Rings, and goes on ringing for `ms` (default: 0). Outbound calls only. */
  | { readonly type: "ring"; readonly ms?: number }
  /** Says and does nothing for `ms`. */
  | { readonly type: "wait"; readonly ms: number }
  /** Outbound: picks up. Inbound: waits until the call is answered. Steps after it are for the answered call. */
  | { readonly type: "answer" }
  /** Plays samples of 16 bits at 8 kHz. */
  | {
    readonly type: "play";
    readonly samples: Int16Array | readonly number[];
    readonly atMs?: number;
  }
  /** Plays a 440 Hz tone for `ms`, which stands for speech. */
  | { readonly type: "talk"; readonly ms: number; readonly atMs?: number }
  /**
   * Presses keys (`0` to `9`, `*`, `#`): each is 100 ms of its two tones (ITU-T Q.23) and 100 ms of silence. The protocol has no
   * event for a key that the far end presses: a program hears the tones.
   */
  | { readonly type: "press"; readonly digits: string; readonly atMs?: number }
  /** From now on sends back what it hears; with `lossy` it loses every tenth packet and swaps some. */
  | { readonly type: "echo"; readonly lossy?: boolean }
  /** From now on plays a 440 Hz tone, until a barge stops it. */
  | { readonly type: "tone" }
  /** Hangs up with a Q.850 cause (default: 16). Before the answer: the call fails with this cause, such as 17 for busy. */
  | { readonly type: "hangUp"; readonly q850Cause?: number; readonly atMs?: number };

/**
 * What a phone does. After the last step it stays on the line and listens. A script that was given to a gateway does not change any more, nor do its
 * samples: it is checked once, and its samples are encoded once, for all calls.
 */
export type PhoneScript = readonly PhoneStep[];

const FRAME_BYTES = 160;
const SILENCE = 0xff;
const SAMPLE_RATE = 8_000;
const KEY_MS = 100;
const KEYS = ["123", "456", "789", "*0#"];
const ROWS_HZ = [697, 770, 852, 941] as const;
const COLUMNS_HZ = [1_209, 1_336, 1_477] as const;
const LONGEST_MS = 24 * 3_600_000;
/** The longest that one step talks or plays. */
export const longestPlayMs = 600_000;
const MOST_STEPS = 1_000;
const MOST_DIGITS = 100;
const MOST_SAMPLES = longestPlayMs * SAMPLE_RATE / 1_000;
const DIGITS = /^[0-9*#]{1,100}$/;
const STEP_TYPES = [
  ...["refuse", "ring", "wait", "answer", "play", "talk", "press", "echo", "tone", "hangUp"],
];
/** Steps that are for an answered call. */
const AFTER_ANSWER = ["play", "talk", "press", "echo", "tone"];
/** Steps that can have `atMs`. */
const TIMED = ["play", "talk", "press", "hangUp"];

/** What no phone can follow in a script. */
export interface ScriptFault {
  /** The step, counted from 0; `undefined` when it is the script as a whole. */
  readonly step: number | undefined;
  /** The member of the step, where it is one. */
  readonly member?: string;
  /** What was found, and what was expected. */
  readonly found: string;
}

/** Scripts that were checked: one can be that of every call. */
const checked = new WeakSet<object>();

/** Refuses a script that no phone can follow with `ERR_VALUE_INVALID`, which names the step. */
export function checkPhoneScript(script: unknown): asserts script is PhoneScript {
  if (checked.has(script as object)) return;
  const fault = findScriptFault(script);
  if (fault === undefined) return void checked.add(script as object);
  const { step, found } = fault;
  const where = step === undefined ? "it" : `step ${step + 1}`;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot follow the phone's script: ${where} ${found}`,
  );
}

/** The first fault of a script. */
export function findScriptFault(script: unknown): ScriptFault | undefined {
  if (!Array.isArray(script)) {
    return { step: undefined, found: `is ${kindOf(script)}, expected an array of steps` };
  }
  if (script.length > MOST_STEPS) {
    return {
      step: undefined,
      found: `has ${script.length} steps, expected at most ${MOST_STEPS}`,
    };
  }
  let isAnswered = false;
  for (const [index, step] of script.entries()) {
    const fault = faultOf(step, index, isAnswered);
    if (fault !== undefined) return { step: index, ...fault };
    isAnswered ||= step.type === "answer";
  }
  return undefined;
}

type StepFault = Omit<ScriptFault, "step">;

function faultOf(step: unknown, index: number, isAnswered: boolean): StepFault | undefined {
  const fields = (step ?? {}) as Partial<Record<string, unknown>>;
  const { type, ms, atMs, digits, samples, errorCode, q850Cause, lossy } = fields;
  if (typeof type !== "string" || !STEP_TYPES.includes(type)) {
    const expected = `${STEP_TYPES.slice(0, -1).join(", ")} or ${STEP_TYPES.at(-1)}`;
    return { member: "type", found: `has type ${shown(type)}, expected ${expected}` };
  }
  if (AFTER_ANSWER.includes(type) && !isAnswered) {
    return { member: "type", found: `is ${type}, expected it after answer` };
  }
  if (atMs !== undefined) {
    const found = TIMED.includes(type) && isAnswered
      ? rangeFault("atMs", atMs, LONGEST_MS)
      : `has atMs, expected it in ${TIMED.join(", ")} after answer`;
    if (found !== undefined) return { member: "atMs", found };
  }
  switch (type) {
    case "refuse":
      if (index > 0) {
        return { member: "type", found: "is refuse, expected it as the first and only step" };
      }
      if (isWhole(errorCode, 1, 2 ** 31 - 1)) return undefined;
      return {
        member: "errorCode",
        found: `has errorCode ${shown(errorCode)}, expected 1 or more`,
      };
    case "ring":
      if (isAnswered) return { member: "type", found: "is ring, expected it before answer" };
      return ms === undefined ? undefined : msFault(ms, LONGEST_MS);
    case "wait":
      return msFault(ms, LONGEST_MS);
    case "answer":
      if (!isAnswered) return undefined;
      return { member: "type", found: "is a second answer, expected one" };
    case "talk":
      return msFault(ms, longestPlayMs);
    case "press":
      if (typeof digits === "string" && DIGITS.test(digits)) return undefined;
      return {
        member: "digits",
        found: `has digits ${shown(digits)}, expected 1 to ${MOST_DIGITS} of 0 to 9, * and #`,
      };
    case "play":
      if (areSamples(samples)) return undefined;
      return {
        member: "samples",
        found: `has samples that are not up to ${MOST_SAMPLES} whole numbers of 16 bits`,
      };
    case "echo":
      if (lossy === undefined || typeof lossy === "boolean") return undefined;
      return { member: "lossy", found: `has lossy ${shown(lossy)}, expected true or false` };
    case "hangUp":
      if (q850Cause === undefined || isWhole(q850Cause, 1, 127)) return undefined;
      return { member: "q850Cause", found: `has q850Cause ${shown(q850Cause)}, expected 1 to 127` };
  }
  return undefined;
}

function msFault(ms: unknown, most: number): StepFault | undefined {
  const found = rangeFault("ms", ms, most);
  return found === undefined ? undefined : { member: "ms", found };
}

function rangeFault(name: string, value: unknown, most: number): string | undefined {
  return typeof value === "number" && value >= 0 && value <= most
    ? undefined
    : `has ${name} ${shown(value)}, expected 0 to ${most}`;
}

function areSamples(samples: unknown): boolean {
  if (samples instanceof Int16Array) return samples.length <= MOST_SAMPLES;
  return Array.isArray(samples) && samples.length <= MOST_SAMPLES &&
    samples.every((sample) => isWhole(sample, -32_768, 32_767));
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && value as number >= least && value as number <= most;
}

/** A value that was found, short. */
function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return kindOf(value);
  return typeof value === "string" ? JSON.stringify(value.slice(0, 32)) : String(value);
}

/** What steps play, as whole frames of PCMU. A recording is encoded once, for all calls to which it is played. */
const sounds = new WeakMap<object, Uint8Array>();

/** The frame of PCMU that a step plays at a tick, counted from 0; `undefined` after the last one, and for a step that plays nothing. */
export function frameOf(step: PhoneStep, tick: number): Uint8Array | undefined {
  if (step.type === "talk") return talkFrame(step.ms, tick);
  if (step.type !== "play" && step.type !== "press") return undefined;
  const source = step.type === "play" ? step.samples : step;
  let sound = sounds.get(source);
  if (sound === undefined) {
    sound = inFrames(
      step.type === "play" ? Int16Array.from(step.samples) : keySamples(step.digits),
    );
    sounds.set(source, sound);
  }
  return frameAt(sound, tick);
}

/** A frame of the tone that stands for speech; the last one ends in silence. */
function talkFrame(ms: number, tick: number): Uint8Array | undefined {
  const left = Math.round(ms * SAMPLE_RATE / 1_000) - tick * FRAME_BYTES;
  if (left >= FRAME_BYTES) return toneFrame(tick);
  return left > 0 ? toneFrame(tick).slice().fill(SILENCE, left) : undefined;
}

/** The tones of a key (`0` to `9`, `*`, `#`) and the silence after them, as frames of PCMU; none for another character. */
export function keyFrames(digit: string): Uint8Array[] {
  const sound = inFrames(DIGITS.test(digit) ? keySamples(digit) : new Int16Array(0));
  return Array.from(
    { length: sound.length / FRAME_BYTES },
    (_, index) => frameAt(sound, index)!,
  );
}

/** Samples as PCMU; the last frame ends in silence. */
function inFrames(samples: Int16Array): Uint8Array {
  const frames = Math.ceil(samples.length / FRAME_BYTES);
  const sound = new Uint8Array(frames * FRAME_BYTES).fill(SILENCE);
  sound.set(encodePcmu(samples));
  return sound;
}

function frameAt(sound: Uint8Array, index: number): Uint8Array | undefined {
  const start = index * FRAME_BYTES;
  return start < sound.length ? sound.subarray(start, start + FRAME_BYTES) : undefined;
}

function keySamples(digits: string): Int16Array {
  const parts = [...digits].flatMap((digit) => {
    const row = KEYS.findIndex((keys) => keys.includes(digit));
    const low = tone(ROWS_HZ[row]!, KEY_MS);
    const high = tone(COLUMNS_HZ[KEYS[row]!.indexOf(digit)]!, KEY_MS);
    return [low.map((sample, i) => (sample + high[i]!) / 2), new Int16Array(low.length)];
  });
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function tone(frequencyHz: number, milliseconds: number): Int16Array {
  return toneSamples({ frequencyHz, sampleRate: SAMPLE_RATE, milliseconds });
}
