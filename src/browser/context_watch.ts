/**
 * Whether the context runs: started in a click, resumed after an interruption, made anew when it has stopped for good.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import { type Clock, sleep } from "../base/signal.ts";
import type { BrowserAudioState } from "./browser_audio.ts";
import { audioUnavailable } from "./faults.ts";
import type { AudioContextLike, Page } from "./page.ts";

/** Options of a {@linkcode ContextWatch}. */
export interface ContextWatchOptions {
  readonly page: Page;
  readonly clock: Clock;
  /** Whether the context is ours to resume and to replace. */
  readonly isOwn: boolean;
  readonly onState: (state: BrowserAudioState) => void;
  /** Makes a new context, or a new processor in the page's own, which `follow` is called with. */
  readonly rebuild: () => Promise<void>;
  /** The page has closed its own context. */
  readonly onClosed: () => void;
}

// A context that can start does so in this time, and one whose time stands for as long has stopped.
const START_MS = 1_000;
// A context that stops at once again is not made anew over and over.
const REBUILD_EVERY_MS = 10_000;

/** Watches one context at a time. */
export class ContextWatch {
  readonly #options: ContextWatchOptions;
  readonly #stopped = new AbortController();
  readonly #onChange = (): void => this.#changed();
  readonly #onVisible = (): void => void this.#lookAfterSleep().catch(ignore);
  #context: AudioContextLike | undefined;
  #state: BrowserAudioState = "needs-gesture";
  #hasRun = false;
  #rebuiltAt = -Infinity;
  #changes = new Set<() => void>();

  constructor(options: ContextWatchOptions) {
    this.#options = options;
  }

  /** What is known of the context. */
  get state(): BrowserAudioState {
    return this.#state;
  }

  /** Watches a context in place of the one before. */
  follow(context: AudioContextLike): void {
    this.#context?.removeEventListener("statechange", this.#onChange);
    this.#context = context;
    context.addEventListener("statechange", this.#onChange);
    if (this.#options.isOwn && context.state === "suspended") context.resume().catch(ignore);
    this.#changed();
  }

  /** Waits for a moment until the context runs: without a click it never does. */
  async start(): Promise<void> {
    this.#options.page.document?.addEventListener("visibilitychange", this.#onVisible);
    await this.#runs();
  }

  /** Starts the context, in a click. */
  async resume(): Promise<void> {
    // iOS rejects it in the state "interrupted", from which it returns by itself.
    if (this.#context?.state === "suspended") this.#context.resume().catch(ignore);
    if (await this.#runs()) return;
    if (this.#hasRun && this.#options.isOwn) {
      await this.#rebuild();
      if (await this.#runs()) return;
    }
    throw audioUnavailable("the browser did not start the sound: call resume() in a click");
  }

  /** The processor has failed: it is made anew. */
  failed(): void {
    void this.#rebuild().catch(ignore);
  }

  /** Watches no longer. */
  stop(): void {
    this.#stopped.abort();
    this.#context?.removeEventListener("statechange", this.#onChange);
    this.#options.page.document?.removeEventListener("visibilitychange", this.#onVisible);
    this.#become("closed");
  }

  #changed(): void {
    const { isOwn, onClosed } = this.#options;
    const context = this.#context;
    if (context === undefined || this.#stopped.signal.aborted) return;
    switch (context.state) {
      case "running":
        this.#hasRun = true;
        this.#become("running");
        break;
      case "suspended":
        if (!this.#hasRun) break;
        this.#become(isOwn ? "interrupted" : "needs-gesture");
        if (isOwn) void this.#resumeSoon(context).catch(ignore);
        break;
      case "closed":
        onClosed();
        break;
      default:
        this.#become("interrupted");
    }
    for (const look of this.#changes) look();
  }

  /** Resumes after an interruption; where that takes a click, says so. */
  async #resumeSoon(context: AudioContextLike): Promise<void> {
    context.resume().catch(ignore);
    if (await this.#runs()) return;
    if (context === this.#context && context.state === "suspended") this.#become("needs-gesture");
  }

  /** After a phone call or sleep a context can claim to run while its time stands still. */
  async #lookAfterSleep(): Promise<void> {
    const { page, clock } = this.#options;
    const context = this.#context;
    if (page.document?.visibilityState !== "visible" || !this.#hasRun || context === undefined) {
      return;
    }
    if (context.state === "suspended" && this.#options.isOwn) context.resume().catch(ignore);
    const before = context.currentTime;
    await sleep(START_MS, { clock, signal: this.#stopped.signal });
    if (context !== this.#context || context.currentTime !== before) return;
    this.#become("interrupted");
    if (this.#options.isOwn) await this.#rebuild();
  }

  async #rebuild(): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (this.#stopped.signal.aborted || now - this.#rebuiltAt < REBUILD_EVERY_MS) return;
    this.#rebuiltAt = now;
    await this.#options.rebuild();
  }

  /** Whether the context runs within a moment. */
  async #runs(): Promise<boolean> {
    const waited = new AbortController();
    const signal = AbortSignal.any([waited.signal, this.#stopped.signal]);
    const look = (): void => {
      if (this.#state === "running") waited.abort();
    };
    this.#changes.add(look);
    look();
    await sleep(START_MS, { clock: this.#options.clock, signal }).catch(ignore);
    this.#changes.delete(look);
    return this.#state === "running";
  }

  #become(state: BrowserAudioState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.#options.onState(state);
  }
}
