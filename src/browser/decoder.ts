/**
 * Frames of a call to samples at one rate, in order, with stand-ins for those that were lost.
 *
 * @module
 */

import { JitterBuffer } from "../audio/mod.ts";
import { SampleDecoder } from "../audio/sample_decoder.ts";
import type { ReceivedFrame } from "../client/mod.ts";

// A frame that was overtaken by the next one is waited for, no longer: what waits here waits in the playback's buffer as well.
const WAIT_MS = 20;

/** Decodes the frames of one call. */
export class FrameDecoder {
  readonly #order = new JitterBuffer({ jitterBufferMs: WAIT_MS });
  readonly #samples: SampleDecoder;

  /** Decodes to samples at `outputRate`. */
  constructor(outputRate: number) {
    this.#samples = new SampleDecoder(outputRate);
  }

  /** Takes a frame that arrived at `now`, and hands over the samples that it completes. */
  push(frame: ReceivedFrame, now: number, give: (samples: Int16Array<ArrayBuffer>) => void): void {
    this.#order.push(frame, now);
    for (let next = this.#order.pop(now); next !== undefined; next = this.#order.pop(now)) {
      // Of unknown codecs, and with half a sample, nothing can be played.
      const samples = this.#samples.decode(next);
      if (samples !== undefined) give(samples);
    }
  }
}
