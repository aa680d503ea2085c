/**
 * A timer that fires once a slot, on a schedule that does not drift.
 *
 * @module
 */

import type { Clock } from "./signal.ts";

/** Options of a {@linkcode SlotTimer}. */
export interface SlotTimerOptions {
  readonly clock: Clock;
  /** The length of a slot, in milliseconds. */
  readonly slotMs: number;
  /** Called in each slot with its number, and how many slots have passed since the last call: more than one after a late timer. */
  readonly onSlot: (slot: number, passed: number) => void;
}

/** Slot n is due at the start plus n times `slotMs`, however late the one before it was. */
export class SlotTimer {
  readonly #options: SlotTimerOptions;
  #cancel: (() => void) | undefined;
  #origin = 0;
  #slot = 0;

  constructor(options: SlotTimerOptions) {
    this.#options = options;
  }

  /** Whether it runs. */
  get isRunning(): boolean {
    return this.#cancel !== undefined;
  }

  /** Starts with slot 0 now, or with slot 1 where `first` is 1. */
  start(first: 0 | 1): void {
    this.#origin = this.#options.clock.monotonic();
    this.#slot = first - 1;
    this.#arm();
  }

  /** Stops; no timer is left. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    const { clock, slotMs } = this.#options;
    const due = this.#origin + (this.#slot + 1) * slotMs - clock.monotonic();
    // Timers count whole milliseconds and cut off the rest: rounded up, none fires before its slot.
    this.#cancel = clock.schedule(Math.max(0, Math.ceil(due)), () => this.#fire());
  }

  #fire(): void {
    const { clock, slotMs, onSlot } = this.#options;
    const before = this.#slot;
    // A late timer counts the slots that it missed; an early one still makes its own.
    const elapsed = clock.monotonic() - this.#origin;
    this.#slot = Math.max(before + 1, Math.floor(elapsed / slotMs));
    const cancel = this.#cancel;
    onSlot(this.#slot, this.#slot - before);
    // Stopped, or also started anew, in its own slot.
    if (this.#cancel === cancel) this.#arm();
  }
}
