/**
 * A phone at the far end that follows a script.
 *
 * @module
 */

import { ignore } from "../../../base/ignore.ts";
import { createFarEnd, type FarEnd, type Media } from "../far_end.ts";
import type { Phone, PhoneAudio, PhoneLine } from "./phone.ts";
import { frameOf, type PhoneScript, type PhoneStep } from "./phone_script.ts";

/** Follows one script through one call. */
export class ScriptedPhone implements Phone {
  readonly #script: PhoneScript;
  readonly #line: PhoneLine;
  #at = 0;
  #answeredAt = 0;
  #audio: PhoneAudio | undefined;
  // What sounds besides the steps: an echo, a tone.
  #background: FarEnd | undefined;
  #stopPlaying: () => void = ignore;
  #isOver = false;

  constructor(script: PhoneScript, line: PhoneLine) {
    this.#script = script;
    this.#line = line;
  }

  start(): void {
    this.#next();
  }

  /** Continues after the step that answers. */
  answered(): void {
    this.#answeredAt = this.#line.now();
    const answer = this.#script.findIndex(({ type }) => type === "answer");
    this.#at = answer < 0 ? this.#script.length : answer + 1;
    this.#next();
  }

  connect(audio: PhoneAudio): FarEnd {
    this.#audio = audio;
    return {
      hear: (payload, codec) => this.#background?.hear(payload, codec),
      // A person does not stop speaking because the gateway stops playing; a tone does.
      hush: () => this.#background?.hush(),
      close: () => {
        this.#stopPlaying();
        this.#background?.close();
        this.#background = undefined;
        this.#audio = undefined;
      },
    };
  }

  stop(): void {
    this.#isOver = true;
    this.#stopPlaying();
    this.#background?.close();
    this.#background = undefined;
  }

  #next(): void {
    if (this.#isOver) return;
    const step = this.#script[this.#at++];
    if (step === undefined) return;
    const atMs = "atMs" in step ? step.atMs ?? 0 : 0;
    const waitMs = this.#answeredAt + atMs - this.#line.now();
    if (atMs === 0 || waitMs <= 0) this.#do(step);
    else this.#line.later(waitMs, () => this.#do(step));
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
        this.#sound(step.lossy === true ? "lossy echo" : "echo");
        return this.#next();
      case "tone":
        this.#sound("tone");
        return this.#next();
      case "hangUp":
        return line.hangUp(step.q850Cause ?? 16);
      default:
        return this.#play(step);
    }
  }

  #sound(media: Media): void {
    this.#background?.close();
    const { random, ticker } = this.#line;
    this.#background = this.#audio && createFarEnd({ ...this.#audio, media, random, ticker });
  }

  /** Plays a frame at each tick, the first at once, and goes on when the last one has lasted. */
  #play(step: PhoneStep): void {
    let tick = 0;
    const stop = this.#line.ticker.add(() => {
      const payload = frameOf(step, tick++);
      if (payload !== undefined) return this.#say(payload);
      // The first tick comes before `stop` exists: an empty step ends at the second.
      if (tick > 1) this.#finish();
    });
    this.#stopPlaying = stop;
    // What takes the first frame can end the call.
    if (this.#isOver) stop();
  }

  #finish(): void {
    this.#stopPlaying();
    this.#stopPlaying = ignore;
    this.#next();
  }

  #say(payload: Uint8Array): void {
    const audio = this.#audio;
    audio?.say({ payload, codec: "PCMU", sequenceNumber: audio.allocate() });
  }
}
