/**
 * What a phone at the far end does, as data: one step after the other.
 *
 * @module
 */

import { encodePcmu, toneSamples } from "../../audio/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";

/** One step of a phone. Times are milliseconds on the gateway's clock; the next step begins when this one is done. */
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
  | { readonly type: "play"; readonly samples: Int16Array | readonly number[] }
  /** Plays a 440 Hz tone for `ms`, which stands for speech. */
  | { readonly type: "talk"; readonly ms: number }
  /**
   * Presses keys (`0` to `9`, `*`, `#`): each is 100 ms of its two tones (ITU-T Q.23) and 100 ms of silence. The protocol has no
   * event for a key that the far end presses: a program hears the tones.
   */
  | { readonly type: "press"; readonly digits: string }
  /** From now on sends back what it hears. */
  | { readonly type: "echo" }
  /** Hangs up with a Q.850 cause (default: 16). Before the answer: the call fails with this cause, such as 17 for busy. */
  | { readonly type: "hangUp"; readonly q850Cause?: number };

/** What a phone does. After the last step it stays on the line and listens. */
export type PhoneScript = readonly PhoneStep[];

const FRAME_BYTES = 160;
const SILENCE = 0xff;
const SAMPLE_RATE = 8_000;
const KEY_MS = 100;
const KEYS = ["123", "456", "789", "*0#"];
const ROWS_HZ = [697, 770, 852, 941] as const;
const COLUMNS_HZ = [1_209, 1_336, 1_477] as const;
const LONGEST_MS = 24 * 3_600_000;
const LONGEST_TALK_MS = 600_000;
const MOST_STEPS = 1_000;
const MOST_DIGITS = 100;

/** Refuses a script that no phone can follow with `ERR_VALUE_INVALID`, which names the step. */
export function checkPhoneScript(script: unknown): asserts script is PhoneScript {
  if (!Array.isArray(script)) throw unfit(`it is ${typeof script}, expected an array of steps`);
  if (script.length > MOST_STEPS) {
    throw unfit(`it has ${script.length} steps, expected at most ${MOST_STEPS}`);
  }
  let isAnswered = false;
  for (const [index, step] of script.entries()) {
    const fault = faultOf(step, index, isAnswered);
    if (fault !== undefined) throw unfit(`step ${index + 1} ${fault}`);
    isAnswered ||= step.type === "answer";
  }
}

function faultOf(step: unknown, index: number, isAnswered: boolean): string | undefined {
  const fields = (step ?? {}) as Partial<Record<string, unknown>>;
  const { type, ms, digits, samples, errorCode, q850Cause } = fields;
  switch (type) {
    case "refuse":
      if (index > 0) return "is refuse, expected it as the first and only step";
      return isWhole(errorCode, 1, 2 ** 31 - 1) ? undefined : `has errorCode ${errorCode}`;
    case "ring":
      return isAnswered ? "is ring, expected it before answer" : msFault(ms ?? 0, LONGEST_MS);
    case "wait":
      return msFault(ms, LONGEST_MS);
    case "answer":
      return isAnswered ? "is a second answer, expected one" : undefined;
    case "hangUp":
      return isWhole(q850Cause ?? 16, 1, 127)
        ? undefined
        : `has q850Cause ${q850Cause}, expected 1 to 127`;
  }
  if (type === "play" || type === "talk" || type === "press" || type === "echo") {
    if (!isAnswered) return `is ${type}, expected it after answer`;
  }
  switch (type) {
    case "talk":
      return msFault(ms, LONGEST_TALK_MS);
    case "press":
      return typeof digits === "string" && /^[0-9*#]+$/.test(digits) &&
          digits.length <= MOST_DIGITS
        ? undefined
        : `has digits ${JSON.stringify(digits)}, expected 1 to ${MOST_DIGITS} of 0 to 9, * and #`;
    case "play": {
      const most = LONGEST_TALK_MS * SAMPLE_RATE / 1_000;
      const isFit = (samples instanceof Int16Array || Array.isArray(samples)) &&
        samples.length <= most &&
        (samples as readonly unknown[]).every((sample) => isWhole(sample, -32_768, 32_767));
      return isFit ? undefined : `has samples that are not up to ${most} whole numbers of 16 bits`;
    }
    case "echo":
      return undefined;
  }
  return `has type ${
    JSON.stringify(type)
  }, expected refuse, ring, wait, answer, play, talk, press, echo or hangUp`;
}

function msFault(ms: unknown, most: number): string | undefined {
  return typeof ms === "number" && ms >= 0 && ms <= most
    ? undefined
    : `has ms ${String(ms)}, expected 0 to ${most}`;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && value as number >= least && value as number <= most;
}

/** What a step plays, as frames of PCMU; `undefined` for a step that plays nothing. */
export function framesOf(step: PhoneStep): Uint8Array[] | undefined {
  const samples = samplesOf(step);
  if (samples === undefined) return undefined;
  const bytes = encodePcmu(samples);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
    const frame = new Uint8Array(FRAME_BYTES).fill(SILENCE);
    frame.set(bytes.subarray(at, at + FRAME_BYTES));
    frames.push(frame);
  }
  return frames;
}

function samplesOf(step: PhoneStep): Int16Array | undefined {
  if (step.type === "play") return Int16Array.from(step.samples);
  if (step.type === "talk") return tone(440, step.ms);
  if (step.type !== "press") return undefined;
  const parts = [...step.digits].flatMap((digit) => {
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

function unfit(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot follow the phone's script: ${found}`);
}
