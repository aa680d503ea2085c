/**
 * How loud both sides of a call are.
 *
 * @module
 */

import { decodeAudio } from "../../audio/mod.ts";
import type { Tap } from "./tap.ts";
import { isWhole } from "./mixer.ts";

/** How loud a call is in each direction: the root mean square of its samples, 0 to 1 of full scale. */
export interface CallLevels {
  /** What the far end hears of the client. */
  readonly toFarEnd: number;
  /** What the far end says. */
  readonly fromFarEnd: number;
}

const FULL_SCALE = 32_768;

/** Measures both directions between two readings. */
export class LevelMeter implements Tap {
  /** The last reading. */
  last: CallLevels = { toFarEnd: 0, fromFarEnd: 0 };
  #toFarEnd = new Power();
  #fromFarEnd = new Power();

  agent(payload: Uint8Array, codec: string): void {
    this.#toFarEnd.add(payload, codec);
  }

  caller(payload: Uint8Array, codec: string): void {
    this.#fromFarEnd.add(payload, codec);
  }

  /** The levels since the last reading. */
  read(): CallLevels {
    this.last = { toFarEnd: this.#toFarEnd.take(), fromFarEnd: this.#fromFarEnd.take() };
    return this.last;
  }
}

class Power {
  #sum = 0;
  #samples = 0;

  add(payload: Uint8Array, codec: string): void {
    if (!isWhole(payload, codec)) return;
    const samples = decodeAudio(codec, payload);
    for (const sample of samples) this.#sum += sample * sample;
    this.#samples += samples.length;
  }

  take(): number {
    const rms = this.#samples === 0 ? 0 : Math.sqrt(this.#sum / this.#samples) / FULL_SCALE;
    this.#sum = 0;
    this.#samples = 0;
    return rms;
  }
}
