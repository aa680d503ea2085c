import type { FarEndPhone, HeardAudio } from "../../src/gateway/call/phone/phone.ts";
import type { PhoneScript } from "../../src/gateway/call/phone/phone_script.ts";

const RATE = 8_000;
const SEGMENT_MS = 5;

/** Samples whose every part differs from every other: seeded noise between 300 and 3,000 Hz, loud as speech. */
export function noise(ms: number, seed = 1, sampleRate = RATE): Int16Array {
  const samples = new Int16Array(Math.round(ms * sampleRate / 1_000));
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  // A sum of tones that change at random every 5 ms: alike only where it is the same place. The same signal at every rate.
  const tones = Array.from({ length: 12 }, () => ({ phase: random() * 3, hz: 0 }));
  let segment = -1;
  for (let i = 0; i < samples.length; i++) {
    const ms = i * 1_000 / sampleRate;
    for (; segment < Math.floor(ms / SEGMENT_MS); segment++) {
      for (const tone of tones) {
        tone.phase += 2 * Math.PI * tone.hz * SEGMENT_MS / 1_000;
        tone.hz = 1_650 + 1_350 * random();
      }
    }
    const seconds = (ms - segment * SEGMENT_MS) / 1_000;
    let sum = 0;
    for (const { phase, hz } of tones) sum += Math.sin(phase + 2 * Math.PI * hz * seconds);
    samples[i] = Math.round(1_800 * sum);
  }
  return samples;
}

/** What the far end of a call heard, on its own time. */
export class Hearing {
  readonly #packets: HeardAudio[] = [];

  /** A phone that answers after a while and listens. */
  phone(ringMs = 200, script: PhoneScript = []): FarEndPhone {
    return {
      script: [{ type: "ring", ms: ringMs }, { type: "answer" }, ...script],
      onAudio: (audio) => void this.#packets.push(audio),
    };
  }

  /** How much it heard, in milliseconds. */
  get ms(): number {
    return this.#packets.reduce((sum, { samples }) => sum + samples.length / 8, 0);
  }

  /** When each packet came, in milliseconds of the gateway's clock. */
  get times(): number[] {
    return this.#packets.map(({ atMs }) => atMs);
  }

  /** Everything from `fromMs` on, on one line at 8 kHz: a packet plays when it comes, or after the one before it. */
  line(fromMs: number): Int16Array {
    const placed: { readonly at: number; readonly samples: Int16Array }[] = [];
    let end = 0;
    for (const { samples, atMs } of this.#packets) {
      const at = Math.max(end, Math.round((atMs - fromMs) * RATE / 1_000));
      placed.push({ at, samples });
      end = at + samples.length;
    }
    const line = new Int16Array(end);
    for (const { at, samples } of placed) line.set(samples, at);
    return line;
  }

  /** All packets one after another, without the pauses. */
  joined(): Int16Array {
    const joined = new Int16Array(this.ms * 8);
    let at = 0;
    for (const { samples } of this.#packets) {
      joined.set(samples, at);
      at += samples.length;
    }
    return joined;
  }
}

/** Where in a longer signal a shorter one is, and how alike they are there: 1 for the same but for its loudness. */
export function find(
  said: Int16Array,
  heard: Int16Array,
): { readonly atMs: number; readonly correlation: number } {
  let best = { atMs: NaN, correlation: 0 };
  const energy = power(said);
  let around = power(heard.subarray(0, said.length));
  for (let at = 0; at + said.length <= heard.length; at++) {
    let product = 0;
    for (let i = 0; i < said.length; i++) product += said[i]! * heard[at + i]!;
    const correlation = product / Math.sqrt(energy * around || 1);
    if (correlation > best.correlation) best = { atMs: at / 8, correlation };
    around += (heard[at + said.length] ?? 0) ** 2 - heard[at]! ** 2;
  }
  return best;
}

function power(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample ** 2;
  return sum;
}
