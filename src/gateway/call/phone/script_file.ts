/**
 * Scripts of phones as a JSON file: what each number does.
 *
 * @module
 */

import { readWav, Resampler } from "../../../audio/mod.ts";
import { kindOf } from "../../../base/check.ts";
import { TeleQuickError } from "../../../base/errors.ts";
import { messageOf } from "../../../base/text/message.ts";
import { parseStrictJsonText } from "../../../base/text/json.ts";
import { findJsonValue, positionAt } from "../../../base/text/json_position.ts";
import { isDestination } from "../../../wire/mod.ts";
import type { ChooseFarEnd } from "./phone.ts";
import {
  findScriptFault,
  longestPlayMs,
  type PhoneScript,
  type PhoneStep,
} from "./phone_script.ts";

/** Scripts by number. */
export interface PhoneScripts {
  /** The script of each number or SIP URI; that of `*` is for every number without one. */
  readonly numbers: ReadonlyMap<string, PhoneScript>;
  /**
   * What the option `farEnd` of `createGateway()` takes: the script of the far end's number, which is the called one of a dial and the
   * calling one of a call that comes in. `*` is for dials, and not for numbers that ring for a person. Calls without a script are left to the gateway.
   */
  readonly farEnd: ChooseFarEnd;
}

/** Options of {@linkcode parsePhoneScripts}. */
export interface ParsePhoneScriptsOptions {
  /** Reads a WAV file that a step plays, by the path in the script. Default: a step that plays a file is refused. */
  readonly readFile?: (path: string) => Uint8Array | Promise<Uint8Array>;
}

const EVERY_NUMBER = "*";
const MAX_DEPTH = 8;
const MOST_NUMBERS = 10_000;
const LONGEST_TEXT = 4 * 1024 * 1024;
const LONGEST_PATH = 4_096;
const LINE_RATE = 8_000;

const topMembers = ["numbers", "$schema"];
/** The members of each step, besides its type. */
const stepMembers: Readonly<Record<string, readonly string[]>> = {
  refuse: ["errorCode"],
  ring: ["ms"],
  wait: ["ms"],
  answer: [],
  play: ["file", "atMs"],
  talk: ["ms", "atMs"],
  press: ["digits", "atMs"],
  echo: ["lossy"],
  tone: [],
  hangUp: ["q850Cause", "atMs"],
};

type Path = readonly (string | number)[];
type Json = Readonly<Record<string, unknown>>;

/**
 * Reads scripts from JSON: `{ "numbers": { "+15550142": [steps], "*": [steps] } }`. Steps are those of a {@linkcode PhoneScript}, with one difference: `play`
 * names a WAV file (16-bit PCM, 8 to 48 kHz) in place of samples, as in `{ "type": "play", "file": "hello.wav" }`. The file's JSON
 * Schema is `@telequick/sdk/gateway/phone-script.schema.json`; the order of steps is checked here alone.
 *
 * @param text The file's text.
 * @param options How WAV files are read.
 * @returns All scripts, checked.
 * @throws {TypeError} when `text` is not a string.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` with line and column for text that is not JSON, an unknown or repeated member, a step that
 * cannot be followed, a WAV file that cannot be played; `cause` has what `readFile` threw.
 *
 * @example A person who interrupts after 3.2 s
 * ```ts
 * import { createGateway, parsePhoneScripts } from "@telequick/sdk/gateway";
 *
 * const { farEnd } = await parsePhoneScripts(`{ "numbers": { "+15550142": [
 *   { "type": "ring", "ms": 500 },
 *   { "type": "answer" },
 *   { "type": "talk", "atMs": 3200, "ms": 800 },
 *   { "type": "hangUp" }
 * ] } }`);
 * await using gateway = createGateway({ farEnd });
 * ```
 */
export async function parsePhoneScripts(
  text: string,
  options: ParsePhoneScriptsOptions = {},
): Promise<PhoneScripts> {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot read phone scripts: text is ${kindOf(text)}, expected a string`);
  }
  const files = new ScriptFile(text, options);
  const numbers = await files.read();
  return {
    numbers,
    farEnd: ({ direction, to, from, isPhone }) =>
      numbers.get(direction === "outbound" ? to : from) ??
        (direction === "outbound" && !isPhone ? numbers.get(EVERY_NUMBER) : undefined),
  };
}

class ScriptFile {
  readonly #text: string;
  readonly #options: ParsePhoneScriptsOptions;
  /** The samples of each file that was read, by its path. */
  readonly #samples = new Map<string, Int16Array>();

  constructor(text: string, options: ParsePhoneScriptsOptions) {
    this.#text = text;
    this.#options = options;
  }

  async read(): Promise<ReadonlyMap<string, PhoneScript>> {
    if (this.#text.length > LONGEST_TEXT) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot read phone scripts: the text has ${this.#text.length} characters, expected at most ${LONGEST_TEXT}`,
      );
    }
    const whole = parseStrictJsonText(this.#text, MAX_DEPTH, (found, at): never => {
      throw this.#fault(at, `the text ${found.replace(" in UTF-8", "")}`);
    });
    const { $schema, numbers } = this.#object(whole, [], "the file", topMembers);
    if ($schema !== undefined && typeof $schema !== "string") {
      throw this.#unfit(["$schema"], `$schema is ${kindOf($schema)}, expected a string`);
    }
    const scripts = this.#object(numbers, ["numbers"], "numbers");
    const names = Object.keys(scripts);
    if (names.length > MOST_NUMBERS) {
      throw this.#unfit(
        ["numbers"],
        `numbers has ${names.length}, expected at most ${MOST_NUMBERS}`,
      );
    }
    // All of them before the first WAV file is read.
    for (const number of names) this.#check(number, scripts[number]);
    const read = new Map<string, PhoneScript>();
    for (const number of names) {
      const steps: PhoneStep[] = [];
      for (const [index, step] of (scripts[number] as readonly Json[]).entries()) {
        steps.push(await this.#step(step, ["numbers", number, index]));
      }
      read.set(number, steps);
    }
    return read;
  }

  #check(number: string, script: unknown): void {
    const path = ["numbers", number];
    const name = JSON.stringify(number.slice(0, 32));
    if (number !== EVERY_NUMBER && !isDestination(number)) {
      throw this.#unfit(path, `${name} is not a phone number in E.164, a SIP URI or *`);
    }
    const steps = Array.isArray(script) ? script.map(withSamples) : script;
    const fault = findScriptFault(steps);
    if (fault !== undefined) {
      const { step, member, found } = fault;
      if (step === undefined) throw this.#unfit(path, `${name} ${found}`);
      const at = [...path, step, ...(member === undefined ? [] : [member])];
      throw this.#unfit(at, `step ${step + 1} of ${name} ${found}`);
    }
    for (const [index, step] of (script as readonly Json[]).entries()) {
      const at = [...path, index];
      const what = `step ${index + 1} of ${name}`;
      const { type, file } = this.#object(step, at, what);
      this.#object(step, at, what, ["type", ...stepMembers[type as string] ?? []]);
      if (type !== "play" || isPath(file)) continue;
      const found = file === undefined ? "lacks file" : "has a file that is not a path";
      throw this.#unfit([...at, "file"], `${what} ${found}, expected the path of a WAV file`);
    }
  }

  async #step(step: Json, path: Path): Promise<PhoneStep> {
    if (step["type"] !== "play") return step as PhoneStep;
    const { file, ...rest } = step;
    return { ...rest, samples: await this.#play(file as string, [...path, "file"]) } as PhoneStep;
  }

  async #play(file: string, path: Path): Promise<Int16Array> {
    const known = this.#samples.get(file);
    if (known !== undefined) return known;
    const { readFile } = this.#options;
    if (readFile === undefined) throw this.#unfit(path, "files cannot be read here");
    let samples: Int16Array;
    try {
      samples = atLineRate(await readFile(file));
    } catch (error) {
      const reason = messageOf(error);
      throw this.#unfit(path, `${JSON.stringify(file)} cannot be played: ${reason}`, error);
    }
    const ms = samples.length * 1_000 / LINE_RATE;
    if (ms > longestPlayMs) {
      const seconds = Math.ceil(ms / 1_000);
      throw this.#unfit(
        path,
        `${JSON.stringify(file)} lasts ${seconds} s, expected at most ${longestPlayMs / 1_000}`,
      );
    }
    this.#samples.set(file, samples);
    return samples;
  }

  /** An object, without members other than these where they are named. */
  #object(value: unknown, path: Path, what: string, members?: readonly string[]): Json {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.#unfit(path, `${what} is ${kindOf(value)}, expected an object`);
    }
    const unknown = Object.keys(value).find((name) => !(members?.includes(name) ?? true));
    if (unknown === undefined) return value as Json;
    const name = JSON.stringify(unknown.slice(0, 32));
    const expected = members!.length === 1 ? "only type" : members!.join(", ");
    throw this.#unfit([...path, unknown], `${what} has ${name}, expected ${expected}`);
  }

  #unfit(path: Path, found: string, cause?: unknown): TeleQuickError {
    return this.#fault(findJsonValue(this.#text, path), found, cause);
  }

  #fault(offset: number, found: string, cause?: unknown): TeleQuickError {
    const { line, column } = positionAt(this.#text, offset);
    return new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot read phone scripts: line ${line}, column ${column}: ${found}`,
      cause === undefined ? {} : { cause },
    );
  }
}

/** A step as a phone takes it, with silence in place of a file that is not read yet. */
function withSamples(step: unknown): unknown {
  const isPlay = typeof step === "object" && (step as Json | null)?.["type"] === "play";
  return isPlay ? { ...step, samples: [] } : step;
}

function isPath(file: unknown): boolean {
  return typeof file === "string" && file.length > 0 && file.length <= LONGEST_PATH;
}

function atLineRate(bytes: Uint8Array): Int16Array {
  const { sampleRate, samples } = readWav(bytes);
  const resampler = new Resampler({ inputRate: sampleRate, outputRate: LINE_RATE });
  const resampled = resampler.push(samples);
  if (sampleRate === LINE_RATE) return resampled;
  const tail = resampler.flush();
  const whole = new Int16Array(resampled.length + tail.length);
  whole.set(resampled);
  whole.set(tail, resampled.length);
  const { delaySamples } = resampler;
  return whole.subarray(delaySamples, delaySamples + resampled.length);
}
