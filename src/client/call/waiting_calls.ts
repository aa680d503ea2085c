/**
 * The calls that wait on a trunk, as a worker knows them, and when it is its turn to answer one.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";
import type { IncomingCallInfo } from "../../wire/mod.ts";
import {
  answerDelayMs,
  chooseCall,
  holdBackMs,
  picksOf,
  type WorkerLoad,
} from "./answer_policy.ts";

// The newest round trip counts for this part of the estimate.
const NEWEST_PART = 0.25;
// A ring can be missed: without one a worker looks this often.
const LOOK_MS = 10_000;
// Rings that are remembered; what rings besides is in the list.
const MOST_RINGS = 4_096;

/** A call that waits. */
export interface WaitingCall {
  readonly callSid: string;
  readonly callFrom: string;
  /** When it began, by the gateway's clock; when it rang, by this one's, until it was in a list. */
  readonly startMs: number;
  /** When this worker heard of it first. */
  readonly heardAt: number;
  /** What this worker drew for it, from 0 up to 1. */
  readonly lot: number;
  /** Until when it is left alone, after how many answers that were refused. */
  notBefore: number;
  refusals: number;
}

/** Options of {@linkcode WaitingCalls}. */
export interface WaitingCallsOptions {
  readonly clock: Clock;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
  /** Asks the gateway. */
  readonly list: () => Promise<readonly IncomingCallInfo[]>;
  /** What the worker has in hand. */
  readonly load: () => WorkerLoad;
  /** Whether this worker has the call already. */
  readonly isInHand: (callSid: string) => boolean;
}

/** The calls that wait. */
export class WaitingCalls {
  readonly #options: WaitingCallsOptions;
  #calls = new Map<string, WaitingCall>();
  /** How many calls the list at hand has, and how many of them can be answered by it. */
  #listed = 0;
  #picks = 0;
  #lookAt = 0;
  #answeredAt = 0;
  #roundTripMs: number | undefined;

  constructor(options: WaitingCallsOptions) {
    this.#options = options;
  }

  /** Whether the gateway has given a list. */
  get isKnown(): boolean {
    return this.#roundTripMs !== undefined;
  }

  /** When it is time to look: the gateway is to be asked, or a call to be answered. On the monotonic clock. */
  get dueAt(): number {
    let due = this.#lookAt;
    for (const call of this.#calls.values()) due = Math.min(due, this.#dueAt(call));
    return due;
  }

  /** A call rings. */
  ring(callSid: string): void {
    const { clock } = this.#options;
    if (this.#calls.size >= MOST_RINGS || this.#calls.has(callSid)) return;
    this.#calls.set(callSid, this.#make({ callSid, callFrom: "", startTimestampMs: clock.now() }));
  }

  /** Rings may have been missed: the gateway is asked at once. */
  lookNow(): void {
    this.#lookAt = -Infinity;
  }

  /** The list at hand is out of date. */
  discard(): void {
    this.#picks = 0;
  }

  /** Takes the next call that is due, to answer it; `undefined` where none is left. */
  async next(): Promise<WaitingCall | undefined> {
    const { clock, random } = this.#options;
    const now = clock.monotonic();
    if (this.#picks === 0 || this.#lookAt <= now) await this.#refresh(now);
    const due = [...this.#calls.values()].filter((call) => this.#dueAt(call) <= now)
      .sort((one, other) => one.startMs - other.startMs);
    const chosen = chooseCall(due, random);
    if (chosen === undefined) {
      this.discard();
      return undefined;
    }
    this.#picks--;
    this.#listed--;
    this.#answeredAt = clock.monotonic();
    this.#calls.delete(chosen.callSid);
    return chosen;
  }

  /** The answer was refused: should the call be in the next list all the same, it is left alone for a while. */
  refused(call: WaitingCall): void {
    call.notBefore = this.#options.clock.monotonic() + holdBackMs(call.refusals++);
    this.#calls.set(call.callSid, call);
    this.discard();
  }

  async #refresh(now: number): Promise<void> {
    const { clock, list, isInHand } = this.#options;
    const calls = await list();
    const tookMs = clock.monotonic() - now;
    const before = this.#roundTripMs ?? tookMs;
    this.#roundTripMs = before + (tookMs - before) * NEWEST_PART;
    this.#lookAt = clock.monotonic() + LOOK_MS;
    this.#listed = calls.length;
    this.#picks = picksOf(calls.length);
    const known = this.#calls;
    this.#calls = new Map();
    for (const info of calls) {
      const { callSid, callFrom, startTimestampMs: startMs } = info;
      if (isInHand(callSid)) continue;
      this.#calls.set(callSid, { ...known.get(callSid) ?? this.#make(info), callFrom, startMs });
    }
    // What rang since the gateway was asked may not be in its list.
    for (const [callSid, call] of known) {
      const isLate = call.heardAt >= now && !this.#calls.has(callSid) && !isInHand(callSid);
      if (isLate) this.#calls.set(callSid, call);
    }
  }

  #make({ callSid, callFrom, startTimestampMs }: IncomingCallInfo): WaitingCall {
    const { clock, random } = this.#options;
    return {
      ...{ callSid, callFrom, startMs: startTimestampMs, heardAt: clock.monotonic() },
      ...{ lot: random(), notBefore: 0, refusals: 0 },
    };
  }

  #dueAt({ heardAt, lot, notBefore }: WaitingCall): number {
    const load = this.#options.load();
    const delayMs = answerDelayMs(load, this.#roundTripMs ?? 0, this.#listed, lot);
    return Math.max(notBefore, Math.max(heardAt, this.#answeredAt) + delayMs);
  }
}
