/**
 * What the far end of a call heard, and how loud it was.
 *
 * @module
 */

import type { FarEndPhone, HeardAudio } from "../gateway/mod.ts";

/** A stretch of a call, in milliseconds from its answer, and a level. */
export interface Spoken {
  /** Where it begins. */
  readonly fromMs: number;
  /** Where it ends. */
  readonly toMs: number;
  /**
   * The level in decibels of full scale: 0 is a square wave of full amplitude, a tone of `toneSamples` (half amplitude) has -9, speech
   * about -25, silence minus infinity.
   */
  readonly levelDb?: number;
}

// Speech is louder, and the noise of a quiet room is not.
const SPEECH_DB = -45;

/** What the far end of one call has heard so far. Times are milliseconds from the answer, on the gateway's clock. */
export class HeardCall {
  readonly #audio: HeardAudio[] = [];
  readonly #digits: { readonly digit: string; readonly atMs: number }[] = [];
  #answeredAtMs: number | undefined;

  /** Packets of audio, in the order of arrival. */
  get audio(): readonly HeardAudio[] {
    const start = this.#answeredAtMs ?? 0;
    return this.#audio.map((packet) => ({ ...packet, atMs: packet.atMs - start }));
  }

  /** All samples one after the other, without the gaps between them: at 8 kHz, or 16 kHz where the client speaks PCM16. */
  get samples(): Int16Array {
    const all = new Int16Array(this.#audio.reduce((sum, { samples }) => sum + samples.length, 0));
    let at = 0;
    for (const { samples } of this.#audio) {
      all.set(samples, at);
      at += samples.length;
    }
    return all;
  }

  /** The DTMF digits that the client sent, in order. */
  get digits(): string {
    return this.#digits.map(({ digit }) => digit).join("");
  }

  /**
   * The level of a stretch, in decibels of full scale: the root mean square of the packets that arrived in it, where none arrived
   * counts as silence.
   */
  levelDb({ fromMs, toMs }: Spoken): number {
    let energy = 0;
    for (const { samples, sampleRate, atMs } of this.audio) {
      if (atMs < fromMs || atMs >= toMs) continue;
      for (const sample of samples) energy += (sample / 32_768) ** 2 * 1_000 / sampleRate;
    }
    return 10 * Math.log10(energy / (toMs - fromMs));
  }

  /**
   * Throws unless the client spoke in a stretch of the call, at least as loud as `levelDb`.
   *
   * @param spoken From when to when, and how loud. Default of `levelDb`: -45.
   */
  assertSpoken(spoken: Spoken): void {
    const { levelDb = SPEECH_DB } = spoken;
    const level = this.levelDb(spoken);
    if (level < levelDb) throw wrong(spoken, level, `at least ${levelDb} dB`);
  }

  /**
   * Throws unless the client was silent in a stretch of the call, or quieter than `levelDb`.
   *
   * @param spoken From when to when, and how loud it may be. Default of `levelDb`: -45.
   */
  assertSilent(spoken: Spoken): void {
    const { levelDb = SPEECH_DB } = spoken;
    const level = this.levelDb(spoken);
    if (level >= levelDb) throw wrong(spoken, level, `less than ${levelDb} dB`);
  }

  /** A phone that does what another does and is listened to; the listeners of the other one are called too. */
  listenTo(phone: FarEndPhone): FarEndPhone {
    return {
      ...phone,
      onAnswer: (atMs) => {
        this.#answeredAtMs = atMs;
        phone.onAnswer?.(atMs);
      },
      onAudio: (audio) => {
        this.#audio.push(audio);
        phone.onAudio?.(audio);
      },
      onDigit: (digit, atMs) => {
        this.#digits.push({ digit, atMs });
        phone.onDigit?.(digit, atMs);
      },
    };
  }
}

function wrong({ fromMs, toMs }: Spoken, level: number, expected: string): Error {
  const found = level === -Infinity ? "nothing" : `${level.toFixed(1)} dB`;
  return new Error(
    `The far end heard ${found} from ${fromMs} to ${toMs} ms after the answer, expected ${expected}`,
  );
}
