/**
 * What the page's audio has counted, over all worklets it has had.
 *
 * @module
 */

import type { BrowserAudioStats } from "./browser_audio.ts";
import type { AudioContextLike } from "./page.ts";
import type { ProcessorStatus } from "./worklet/messages.ts";

type Counted = Omit<BrowserAudioStats, "bufferedMs" | "slackMs" | "outputLatencyMs" | "rebuilt">;

const BLOCK_MS = 10;
const nothing: Counted = {
  ...{ capturedMs: 0, capturedDroppedMs: 0, playedMs: 0 },
  ...{ underruns: 0, underrunMs: 0, skippedMs: 0 },
};

/** Keeps the last status of the processor, and the sums of those before it. */
export class StatsKeeper {
  #status: ProcessorStatus | undefined;
  #before: Counted = nothing;
  #rebuilt = 0;

  /** Levels as they were last. */
  get level(): { readonly input: number; readonly output: number } {
    return this.#status ?? { input: 0, output: 0 };
  }

  /** Takes a status. */
  add(status: ProcessorStatus): void {
    this.#status = status;
  }

  /** Another processor begins to count. */
  restart(): void {
    this.#before = this.#sum();
    this.#status = undefined;
    this.#rebuilt++;
  }

  /** The sums. */
  stats(context: AudioContextLike | undefined): BrowserAudioStats {
    const { bufferedMs = 0, slackMs = 0 } = this.#status?.playback ?? {};
    const { baseLatency = 0, outputLatency = 0 } = context ?? {};
    return {
      ...this.#sum(),
      bufferedMs,
      slackMs,
      outputLatencyMs: (baseLatency + outputLatency) * 1_000,
      rebuilt: this.#rebuilt,
    };
  }

  #sum(): Counted {
    const before = this.#before;
    if (this.#status === undefined) return before;
    const { captured, dropped, playback } = this.#status;
    return {
      capturedMs: before.capturedMs + captured * BLOCK_MS,
      capturedDroppedMs: before.capturedDroppedMs + dropped * BLOCK_MS,
      playedMs: before.playedMs + playback.playedMs,
      underruns: before.underruns + playback.underruns,
      underrunMs: before.underrunMs + playback.underrunMs,
      skippedMs: before.skippedMs + playback.skippedMs,
    };
  }
}
