/**
 * The phone at the far end of a call: what it is connected to, and its listeners.
 *
 * @module
 */

import { audioCodecs, decodeAudio, isAudioCodec } from "../../../audio/mod.ts";
import type { Random } from "../../../base/random.ts";
import type { FarEnd, FarEndOptions } from "../far_end.ts";
import { checkPhoneScript, type PhoneScript } from "./phone_script.ts";
import type { Ticker } from "../ticker.ts";

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
  /** Whether the called number is one of the gateway's `phones`: without a script it rings for a person. */
  readonly isPhone: boolean;
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
  readonly callSid: string;
  readonly ticker: Ticker;
  readonly random: Random;
  readonly direction: "outbound" | "inbound";
  /** Milliseconds since an arbitrary instant. */
  now(): number;
  /** Does something after a while, unless the call is answered or ends before. Does nothing once it has ended. */
  later(ms: number, action: () => void): void;
  ring(): void;
  answer(): void;
  /** Ends the call with a Q.850 cause. */
  hangUp(q850Cause: number): void;
}

/** The far end's side of an answered call's audio. */
export type PhoneAudio = Pick<FarEndOptions, "allocate" | "say" | "lost">;

/** The phone at the far end of one call. */
export interface Phone {
  /** The call begins. */
  start(): void;
  /** The call is answered, by this phone or by the dialplan. */
  answered(): void;
  /** Takes the phone's side of the call's audio. Returns what hears the client; not called when the dialplan puts an echo in its place. */
  connect(audio: PhoneAudio): FarEnd;
  /** Takes a DTMF digit of the client's. */
  digit?(digit: string): void;
  /** Stops what it does by itself: the call is over, also when the gateway goes away. Called in either case, connected or not. */
  stop?(): void;
  /** The call has ended. Not called when the gateway goes away. */
  ended?(q850Cause: number): void;
}

/** Makes the phone of a call. */
export type MakePhone = (line: PhoneLine) => Phone;

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
