/**
 * One side of two calls whose far ends are each other: what the client of one says, the client of the other hears.
 *
 * @module
 */

import type { AudioCodec } from "../../audio/mod.ts";
import { ignore } from "../../base/ignore.ts";
import type { FarEnd } from "../call/far_end.ts";
import { isWhole, Mixer } from "../call/mixer.ts";
import type { Phone, PhoneAudio, PhoneLine } from "../call/phone/phone.ts";
import { keyFrames } from "../call/phone/phone_script.ts";
import { Transcoder } from "./transcoder.ts";

/** What is done when something happens to a leg. */
export interface LegHandlers {
  /** Its call begins. */
  onStart?(leg: Leg): void;
  /** Its call is answered. */
  onAnswer?(leg: Leg): void;
  /** Its call has ended. */
  onEnd(leg: Leg, q850Cause: number): void;
}

// Keys that are pressed faster than their tones sound: more are dropped.
const MOST_KEY_FRAMES = 1_000;

/** One of the two calls. */
export class Leg implements Phone {
  readonly line: PhoneLine;
  /** The call at the other end. */
  other: Leg | undefined;
  isAnswered = false;
  isOver = false;
  readonly #handlers: LegHandlers;
  /** What its client says, with the tones of its keys. */
  readonly #mixer: Mixer;
  readonly #transcoder = new Transcoder();
  readonly #keys: Uint8Array[] = [];
  #stopKeys: (() => void) | undefined;
  #audio: PhoneAudio | undefined;
  /** What its client speaks, and so understands. */
  #codec: AudioCodec = "PCMU";

  constructor(line: PhoneLine, handlers: LegHandlers) {
    this.line = line;
    this.#handlers = handlers;
    this.#mixer = new Mixer({
      ticker: line.ticker,
      say: (payload) => this.other?.say(payload, "PCMU"),
    });
  }

  start(): void {
    this.#handlers.onStart?.(this);
  }

  answered(): void {
    this.isAnswered = true;
    this.#handlers.onAnswer?.(this);
  }

  connect(audio: PhoneAudio): FarEnd {
    this.#audio = audio;
    return {
      hear: (payload, codec) => {
        if (!isWhole(payload, codec)) return;
        this.#codec = codec;
        this.other?.say(this.#mixer.mix(payload, codec), codec);
      },
      // A person does not stop speaking because the gateway stops playing.
      hush: ignore,
      close: () => {
        this.#audio = undefined;
        this.#stopKeys?.();
        this.#mixer.close();
      },
    };
  }

  /** The other side hears the key's tones: the protocol has no event for a key that the far end presses. */
  digit(digit: string): void {
    if (this.#audio === undefined || this.#keys.length >= MOST_KEY_FRAMES) return;
    this.#keys.push(...keyFrames(digit));
    this.#stopKeys ??= this.line.ticker.add(() => this.#nextKeyFrame());
  }

  ended(q850Cause: number): void {
    this.isOver = true;
    this.#handlers.onEnd(this, q850Cause);
  }

  /** Says something to its client. */
  say(payload: Uint8Array, codec: AudioCodec): void {
    const audio = this.#audio;
    if (audio === undefined) return;
    audio.say({
      payload: this.#transcoder.transcode(payload, codec, this.#codec),
      codec: this.#codec,
      sequenceNumber: audio.allocate(),
    });
  }

  #nextKeyFrame(): void {
    const frame = this.#keys.shift();
    if (frame !== undefined) return this.#mixer.add(frame, "PCMU");
    this.#stopKeys?.();
    this.#stopKeys = undefined;
  }
}
