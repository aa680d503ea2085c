/**
 * The one ticker of a client's audio: all calls tick together.
 *
 * @module
 */

import { frameMilliseconds } from "../../audio/mod.ts";
import type { Clock } from "../../base/signal.ts";
import { SlotTimer } from "../../base/slot_timer.ts";

/** Something that sends or plays at every tick. */
export interface Paced {
  /** Whether it is a member of the ticker, which sets this. */
  isPaced: boolean;
  /** Does what is due by `slot`, the number of this tick. Returns `false` to leave the ticker. */
  tick(slot: number): boolean;
}

/** Options of a {@linkcode Pacer}. */
export interface PacerOptions {
  readonly clock: Clock;
  /** Called after every member has ticked: what was sent goes out in one write. */
  readonly onTicked: () => void;
  /** Called when {@linkcode THROTTLED_TICKS} ticks in sequence came late. */
  readonly onThrottled?: (() => void) | undefined;
}

const LATE_SLOTS = 10;

/** So many late ticks in sequence mean that timers are held back, as in a hidden tab: one alone is a stall of the process. */
export const THROTTLED_TICKS = 3;

/** Ticks every 20 ms while it has members. */
export class Pacer {
  readonly #members = new Set<Paced>();
  readonly #timer: SlotTimer;
  readonly #options: PacerOptions;
  #nowMs = 0;
  #lateTicks = 0;
  #lateTotal = 0;

  /** Makes a ticker at rest. */
  constructor(options: PacerOptions) {
    this.#options = options;
    this.#timer = new SlotTimer({
      clock: options.clock,
      slotMs: frameMilliseconds,
      onSlot: (slot, passed) => this.#tick(slot, passed),
    });
  }

  /** How many ticks came that late since the start. */
  get lateTotal(): number {
    return this.#lateTotal;
  }

  /** When the last tick was, on the monotonic clock: one look at the clock for all members. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many of the last ticks in sequence came ten slots (200 ms) late or more. */
  get lateTicks(): number {
    return this.#lateTicks;
  }

  /** Adds a member: it ticks at once if the ticker was at rest, else with the others. */
  add(member: Paced): void {
    if (member.isPaced) return;
    member.isPaced = true;
    this.#members.add(member);
    if (!this.#timer.isRunning) this.#timer.start(0);
  }

  /** Removes a member; with the last one the timer goes. */
  remove(member: Paced): void {
    this.#leave(member);
    if (this.#members.size === 0) this.#timer.stop();
  }

  #leave(member: Paced): void {
    member.isPaced = false;
    this.#members.delete(member);
  }

  #tick(slot: number, passed: number): void {
    const { clock, onTicked, onThrottled } = this.#options;
    this.#nowMs = clock.monotonic();
    const isLate = passed > LATE_SLOTS;
    this.#lateTicks = isLate ? this.#lateTicks + 1 : 0;
    if (isLate) this.#lateTotal++;
    if (this.#lateTicks === THROTTLED_TICKS) onThrottled?.();
    for (const member of [...this.#members]) {
      // One before it can have ended it: a receiver is called within the tick.
      if (member.isPaced && !member.tick(slot)) this.#leave(member);
    }
    onTicked();
    if (this.#members.size === 0) this.#timer.stop();
  }
}
