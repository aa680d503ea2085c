/**
 * A phone at the far end that follows a script.
 *
 * @module
 */

import { audioCodecs, decodeAudio, isAudioCodec } from "../../audio/mod.ts";
import { ignore } from "../../base/ignore.ts";
import type { FarEnd, Speech } from "./far_end.ts";
import { checkPhoneScript, framesOf, type PhoneScript, type PhoneStep } from "./phone_script.ts";
import type { Ticker } from "./ticker.ts";

/** A call, as the far end of it sees it. */
export interface FarEndCall {
  /** The call's id. */
  readonly callSid: string;
  /** The tenant whose call it is. */
  readonly tenantId: string;
  /** The trunk that it goes over. */
  readonly trunkId: string;
  /** Whether the tenant dialled it, or the far end called in. */
  readonly direction: "outbound" | "inbound";
  /** The called number or SIP URI. */
  readonly to: string;
  /** The caller's; can be empty. */
  readonly from: string;
}

/** A packet of audio that a phone hears. */
export interface HeardAudio {
  /** The samples. */
  readonly samples: Int16Array;
  /** Their rate: 8000 or 16000. */
  readonly sampleRate: number;
  /** When it arrived, in Unix milliseconds on the gateway's clock. */
  readonly atMs: number;
}

/** A phone for one call. */
export interface FarEndPhone {
  /** What it does. Default: what the test number does. */
  readonly script?: PhoneScript | undefined;
  /** Takes the time of the answer, in Unix milliseconds on the gateway's clock. Default: none. */
  readonly onAnswer?: ((atMs: number) => void) | undefined;
  /** Takes what it hears. Default: none. */
  readonly onAudio?: ((audio: HeardAudio) => void) | undefined;
  /** Takes each DTMF digit that the client sends. Default: none. */
  readonly onDigit?: ((digit: string, atMs: number) => void) | undefined;
}

/** Chooses the phone of a call; `undefined`, or an empty result, leaves the call to the test numbers' own. */
export type ChooseFarEnd = (call: FarEndCall) => FarEndPhone | PhoneScript | undefined;

/** What a phone is connected to. */
export interface PhoneLine {
  readonly ticker: Ticker;
  readonly direction: "outbound" | "inbound";
  /** Does something after a while, unless the call is answered or ends before. */
  later(ms: number, action: () => void): void;
  ring(): void;
  answer(): void;
  hangUp(q850Cause: number, status: string): void;
}

/** The far end's side of an answered call's audio. */
export interface PhoneAudio {
  readonly allocate: () => number;
  readonly say: (speech: Speech) => void;
}

const statuses: Readonly<Record<number, string>> = { 16: "NO_ANSWER", 17: "BUSY", 19: "NO_ANSWER" };

/** Follows one script through one call. */
export class Phone {
  readonly #script: PhoneScript;
  readonly #line: PhoneLine;
  #at = 0;
  #isAnswered = false;
  #isEcho = false;
  #audio: PhoneAudio | undefined;
  #stopPlaying: () => void = ignore;

  constructor(script: PhoneScript, line: PhoneLine) {
    this.#script = script;
    this.#line = line;
  }

  /** Begins with the first step. */
  start(): void {
    this.#next();
  }

  /** The call is answered, by its own step or by the dialplan: continues after that step. */
  answered(): void {
    this.#isAnswered = true;
    const answer = this.#script.findIndex(({ type }) => type === "answer");
    this.#at = answer < 0 ? this.#script.length : answer + 1;
    this.#next();
  }

  /** The phone's side of the call's audio. */
  connect(audio: PhoneAudio): FarEnd {
    this.#audio = audio;
    return {
      hear: (payload, codec) => {
        if (this.#isEcho) this.#say(payload.slice(), codec);
      },
      // A person does not stop speaking because the gateway stops playing.
      hush: ignore,
      close: () => this.#stopPlaying(),
    };
  }

  #next(): void {
    const step = this.#script[this.#at++];
    if (step !== undefined) this.#do(step);
  }

  #do(step: PhoneStep): void {
    const line = this.#line;
    switch (step.type) {
      case "refuse":
        return;
      case "ring":
        line.ring();
        return line.later(step.ms ?? 0, () => this.#next());
      case "wait":
        return line.later(step.ms, () => this.#next());
      case "answer":
        // An inbound call is answered by the tenant.
        return line.direction === "outbound" ? line.answer() : undefined;
      case "echo":
        this.#isEcho = true;
        return this.#next();
      case "hangUp": {
        const { q850Cause = 16 } = step;
        const status = this.#isAnswered ? "COMPLETED" : statuses[q850Cause] ?? "FAILED";
        return line.hangUp(q850Cause, status);
      }
      default:
        return this.#play(framesOf(step) ?? []);
    }
  }

  /** Plays a frame at each tick, the first at once, and goes on when the last one has lasted. */
  #play(frames: readonly Uint8Array[]): void {
    let at = 0;
    const stop = this.#line.ticker.add(() => {
      const payload = frames[at++];
      if (payload !== undefined) return this.#say(payload, "PCMU");
      // The first tick comes before `stop` exists: an empty step ends at the second.
      if (at > 1) this.#finish();
    });
    this.#stopPlaying = stop;
  }

  #finish(): void {
    this.#stopPlaying();
    this.#stopPlaying = ignore;
    this.#next();
  }

  #say(payload: Uint8Array, codec: string): void {
    const audio = this.#audio;
    if (audio !== undefined) audio.say({ payload, codec, sequenceNumber: audio.allocate() });
  }
}

/** The phone that was chosen for a call, checked. */
export function choosePhone(
  choose: ChooseFarEnd | undefined,
  call: FarEndCall,
): FarEndPhone | undefined {
  const chosen = choose?.(call);
  if (chosen === undefined) return undefined;
  const phone = Array.isArray(chosen) ? { script: chosen } : chosen as FarEndPhone;
  if (phone.script !== undefined) checkPhoneScript(phone.script);
  return phone;
}

/** What a phone's listeners are given of a call. */
export class Listening {
  readonly #phone: FarEndPhone;
  readonly #now: () => number;

  constructor(phone: FarEndPhone, now: () => number) {
    this.#phone = phone;
    this.#now = now;
  }

  /** The call is answered. */
  answered(): void {
    report(() => this.#phone.onAnswer?.(this.#now()));
  }

  /** Takes a packet that the phone hears. */
  hear(payload: Uint8Array, codec: string): void {
    const { onAudio } = this.#phone;
    if (onAudio === undefined || payload.length === 0 || !isAudioCodec(codec)) return;
    const { sampleRate } = audioCodecs[codec];
    const samples = decodeAudio(codec, payload.slice());
    report(() => onAudio({ samples, sampleRate, atMs: this.#now() }));
  }

  /** Takes a DTMF digit. */
  digit(digit: string): void {
    report(() => this.#phone.onDigit?.(digit, this.#now()));
  }
}

/** What the owner's function throws is the owner's: it reaches the process, and no call suffers from it. */
function report(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
