/**
 * The one ticker of a client's outgoing audio: all calls tick together, on a schedule that does not drift.
 *
 * @module
 */

import { frameMilliseconds } from "../../audio/mod.ts";
import type { Clock } from "../../base/signal.ts";

/** Something that sends at every tick. */
export interface Paced {
  /** Sends what is due by `slot`, the number of this tick. Returns `false` to leave the ticker. */
  tick(slot: number): boolean;
  /** Called after every member has ticked: what was sent goes out in one write. */
  flush(): void;
}

const LATE_SLOTS = 10;

/** Ticks every 20 ms while it has members. Tick n is due at the start plus n times 20 ms, however late the one before it was. */
export class Pacer {
  readonly #clock: Clock;
  readonly #members = new Set<Paced>();
  #cancel: (() => void) | undefined;
  #lateTicks = 0;
  #origin = 0;
  #slot = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many of the last ticks in sequence came ten slots (200 ms) late or more. */
  get lateTicks(): number {
    return this.#lateTicks;
  }

  /** Adds a member: it ticks at once if the ticker was at rest, else with the others. */
  add(member: Paced): void {
    if (this.#members.has(member)) return;
    this.#members.add(member);
    if (this.#cancel !== undefined) return;
    this.#origin = this.#clock.monotonic();
    this.#slot = -1;
    this.#cancel = this.#clock.schedule(0, () => this.#tick());
  }

  /** Removes a member; with the last one the timer goes. */
  remove(member: Paced): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #tick(): void {
    // A late timer counts the slots that it missed; an early one still makes its own.
    const elapsed = this.#clock.monotonic() - this.#origin;
    const before = this.#slot;
    this.#slot = Math.max(before + 1, Math.floor(elapsed / frameMilliseconds));
    this.#lateTicks = this.#slot - before > LATE_SLOTS ? this.#lateTicks + 1 : 0;
    const ticked = [...this.#members];
    for (const member of ticked) {
      if (!member.tick(this.#slot)) this.#members.delete(member);
    }
    for (const member of ticked) member.flush();
    if (this.#members.size === 0) {
      this.#cancel = undefined;
      return;
    }
    const due = this.#origin + (this.#slot + 1) * frameMilliseconds - this.#clock.monotonic();
    // Timers count whole milliseconds and cut off the rest: rounded up, none fires before its slot.
    this.#cancel = this.#clock.schedule(Math.max(0, Math.ceil(due)), () => this.#tick());
  }
}
