/**
 * What the page's audio has counted, over all worklets it has had.
 *
 * @module
 */

import type { BrowserAudioStats } from "./browser_audio.ts";
import type { AudioContextLike, Page } from "./page.ts";
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
  stats(page: Page, context: AudioContextLike | undefined): BrowserAudioStats {
    const { bufferedMs = 0, slackMs = 0 } = this.#status?.playback ?? {};
    return {
      ...this.#sum(),
      bufferedMs,
      slackMs,
      outputLatencyMs: context === undefined ? 0 : outputLatencyMs(page, context),
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

/**
 * What the browser and the device add to the delay, in milliseconds.
 *
 * Firefox is not asked for the device's part. Its page holds a lock of the audio graph while the sound system is asked, and on Linux
 * that waits for a callback which waits for the graph: the first `outputLatency` or `getOutputTimestamp()` can hang the page for good
 * (seen in Firefox 153, with any `AudioWorklet`).
 */
function outputLatencyMs({ navigator }: Page, context: AudioContextLike): number {
  const isFirefox = navigator?.userAgent?.includes("Firefox/") ?? false;
  const device = isFirefox ? 0 : context.outputLatency ?? 0;
  return ((context.baseLatency ?? 0) + device) * 1_000;
}
