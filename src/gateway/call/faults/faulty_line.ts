/**
 * One direction of a call with faults: packets that are lost, late, or come twice.
 *
 * @module
 */

import type { Random } from "../../../base/random.ts";
import type { Clock } from "../../../base/signal.ts";
import type { Faults } from "./faults.ts";

/** Options of a {@linkcode FaultyLine}. */
export interface FaultyLineOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Called when a packet was lost. */
  readonly onLost: () => void;
}

interface Waiting {
  readonly dueAt: number;
  readonly deliver: () => void;
}

// Five seconds at the highest rate that a call takes, twice.
const MOST_WAITING = 2_000;

/** Delivers packets as faults have it, in their order. */
export class FaultyLine {
  readonly #options: FaultyLineOptions;
  readonly #waiting: Waiting[] = [];
  #lastDueAt = -Infinity;
  #cancel: (() => void) | undefined;

  constructor(options: FaultyLineOptions) {
    this.#options = options;
  }

  /** Takes a packet: `deliver` is called now, later, twice, or never. */
  push(deliver: () => void, faults: Faults = {}): void {
    const { lossPercent = 0, jitterMs = 0, delayMs = 0, duplicatePercent = 0 } = faults;
    const { clock, random, onLost } = this.#options;
    // Three draws for every packet: what one fault does never depends on another.
    const [loss, duplicate, jitter] = [random(), random(), random()];
    if (100 * loss < lossPercent || this.#waiting.length >= MOST_WAITING) return onLost();
    const now = clock.monotonic();
    this.#lastDueAt = Math.max(this.#lastDueAt, now + delayMs + jitter * jitterMs);
    const times = 100 * duplicate < duplicatePercent ? 2 : 1;
    for (let i = 0; i < times; i++) {
      if (this.#lastDueAt <= now && this.#waiting.length === 0) deliver();
      else this.#waiting.push({ dueAt: this.#lastDueAt, deliver });
    }
    this.#arm();
  }

  /** Delivers what waits, at once. */
  flush(): void {
    this.#disarm();
    for (const { deliver } of this.#waiting.splice(0)) deliver();
  }

  /** Drops what waits. */
  clear(): void {
    this.#disarm();
    this.#waiting.length = 0;
  }

  #arm(): void {
    const [next] = this.#waiting;
    if (next === undefined || this.#cancel !== undefined) return;
    const { clock } = this.#options;
    this.#cancel = clock.schedule(Math.max(0, next.dueAt - clock.monotonic()), () => this.#fire());
  }

  #fire(): void {
    this.#cancel = undefined;
    const now = this.#options.clock.monotonic();
    while (this.#waiting.length > 0 && this.#waiting[0]!.dueAt <= now) {
      this.#waiting.shift()!.deliver();
    }
    this.#arm();
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
