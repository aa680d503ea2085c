/**
 * Warnings: what is likely to be heard, or to end a session, while it lasts. Each is raised and cleared.
 *
 * @module
 */

import { Queue } from "../../base/queue.ts";
import type { Clock } from "../../base/signal.ts";
import type { AudioStats } from "../audio/audio_link.ts";
import { THROTTLED_TICKS } from "../audio/pacer.ts";

/**
 * What a warning is about:
 * * `no-media`: nothing has come from the far end for 5 s, on an answered call that is not held; cleared by the next frame.
 * * `high-loss`: 5 % or more of the far end's frames were lost in the last 5 s; cleared below 2 %.
 * * `high-jitter`: interarrival jitter (RFC 3550) of 40 ms or more; cleared below 20 ms.
 * * `sending-late`: five slots of 20 ms or more were missed in the last 5 s: this process was too late; cleared when none was.
 * * `receive-overflow`: received frames were dropped because they were not read; cleared after 5 s without.
 * * `token-expiring`: the session's token ends within 60 s and was not replaced; cleared by a renewal.
 * * `timers-throttled`: timers fire less than five times a second, as in a hidden tab; cleared when they are on time again.
 */
export type WarningKind =
  | "no-media"
  | "high-loss"
  | "high-jitter"
  | "sending-late"
  | "receive-overflow"
  | "token-expiring"
  | "timers-throttled";

/** A warning, or its end. */
export interface Warning {
  /** What it is about. */
  readonly kind: WarningKind;
  /** Whether it begins or ends. A warning ends with its call at the latest. */
  readonly state: "raised" | "cleared";
  /** The call; `undefined` for `token-expiring` and `timers-throttled`, which are the client's. */
  readonly callSid: string | undefined;
  /** When, in Unix milliseconds on the client's clock. */
  readonly atMs: number;
  /**
   * What was measured: milliseconds (`no-media`, `high-jitter`, `token-expiring`), percent (`high-loss`), slots (`sending-late`), frames
   * (`receive-overflow`), ticks in sequence (`timers-throttled`).
   */
  readonly value: number;
}

/** A link, as far as warnings look at it. */
export interface WatchedLink {
  readonly callSid: string;
  /** Whether audio is to be expected: answered, not held. */
  readonly isTalking: boolean;
  /** When the last frame came, on the monotonic clock. */
  readonly heardAt: number | undefined;
  stats(): AudioStats;
}

/** Where warnings look. */
export interface WarningsHost {
  readonly clock: Clock;
  /** The links that are open. */
  links(): Iterable<WatchedLink>;
  /** When the session's token ends, in Unix milliseconds on this machine's clock; 0 when unknown or without a session. */
  tokenEndsAtMs(): number;
  /** How many ticks in sequence came 200 ms late or more. */
  lateTicks(): number;
}

const LOOK_MS = 1_000;
const WINDOW_LOOKS = 5;
const SILENT_MS = 5_000;
const LOSS_PERCENT = { raise: 5, clear: 2 };
const LEAST_FRAMES = 50;
const JITTER_MS = { raise: 40, clear: 20 };
const LATE_SLOTS = 5;
const TOKEN_MS = 60_000;
const CAPACITY = 256;

/** Looks once a second, while something listens. */
export class Warnings {
  readonly #host: WarningsHost;
  readonly #listeners = new Map<Queue<Warning>, string | undefined>();
  readonly #watched = new Map<string, LinkWatch>();
  /** What is raised, by kind and call. */
  readonly #raised = new Map<string, Warning>();
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(host: WarningsHost) {
    this.#host = host;
  }

  /** Warnings of one call, or of all and the client itself: those that are raised now, then each as it comes. */
  listen(callSid?: string): Queue<Warning> {
    const listener: Queue<Warning> = new Queue({
      capacity: CAPACITY,
      overflow: "drop-oldest",
      onEnd: () => this.#leave(listener),
    });
    if (this.#isOver) {
      listener.close();
      return listener;
    }
    this.#listeners.set(listener, callSid);
    for (const warning of this.#raised.values()) {
      if (callSid === undefined || warning.callSid === callSid) listener.push(warning);
    }
    if (this.#cancel === undefined) this.#look();
    return listener;
  }

  /** A call has ended, and its warnings with it. */
  endCall(callSid: string): void {
    this.#forget(callSid);
    for (const [listener, own] of this.#listeners) if (own === callSid) listener.close();
  }

  /** The client has ended. */
  end(): void {
    this.#isOver = true;
    for (const listener of [...this.#listeners.keys()]) listener.close();
  }

  #leave(listener: Queue<Warning>): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#watched.clear();
    this.#raised.clear();
  }

  #look(): void {
    const { clock, links, tokenEndsAtMs, lateTicks } = this.#host;
    this.#cancel = clock.schedule(LOOK_MS, () => this.#look());
    const now = clock.monotonic();
    const open = new Set<string>();
    for (const link of links()) {
      const { callSid } = link;
      open.add(callSid);
      let watch = this.#watched.get(callSid);
      if (watch === undefined) this.#watched.set(callSid, watch = new LinkWatch(now));
      for (const [kind, isRaised, value] of watch.look(link, now)) {
        this.#set(kind, callSid, isRaised, value);
      }
    }
    for (const callSid of [...this.#watched.keys()]) {
      if (!open.has(callSid)) this.#forget(callSid);
    }
    const leftMs = tokenEndsAtMs() - clock.now();
    const isExpiring = tokenEndsAtMs() > 0 && leftMs <= TOKEN_MS;
    this.#set("token-expiring", undefined, isExpiring, Math.max(0, leftMs));
    const late = lateTicks();
    this.#set(
      "timers-throttled",
      undefined,
      late >= THROTTLED_TICKS || late > 0 && undefined,
      late,
    );
  }

  #forget(callSid: string): void {
    this.#watched.delete(callSid);
    for (const { kind, callSid: own } of [...this.#raised.values()]) {
      if (own === callSid) this.#set(kind, callSid, false, 0);
    }
  }

  /** Raises or clears; `undefined` leaves it as it is. */
  #set(
    kind: WarningKind,
    callSid: string | undefined,
    isRaised: boolean | undefined,
    value: number,
  ): void {
    const key = `${kind} ${callSid ?? ""}`;
    if (isRaised === undefined || this.#raised.has(key) === isRaised) return;
    const state = isRaised ? "raised" : "cleared";
    const warning: Warning = { kind, state, callSid, atMs: this.#host.clock.now(), value };
    if (isRaised) this.#raised.set(key, warning);
    else this.#raised.delete(key);
    for (const [listener, own] of [...this.#listeners]) {
      if (own === undefined || own === callSid) listener.push(warning);
    }
  }
}

type Finding = readonly [kind: WarningKind, isRaised: boolean | undefined, value: number];

/** What one link's counts were at the last looks. */
class LinkWatch {
  readonly #openedAt: number;
  readonly #looks: AudioStats[] = [];
  #talksSince: number | undefined;

  constructor(now: number) {
    this.#openedAt = now;
  }

  look(link: WatchedLink, now: number): Finding[] {
    const stats = link.stats();
    this.#looks.push(stats);
    if (this.#looks.length > WINDOW_LOOKS + 1) this.#looks.shift();
    const since = (name: "received" | "lost" | "slotsMissed" | "unread"): number =>
      stats[name] - this.#looks[0]![name];
    const frames = since("received") + since("lost");
    const lossPercent = frames === 0 ? 0 : 100 * since("lost") / frames;
    return [
      this.#silence(link, now),
      [
        "high-loss",
        between(lossPercent, LOSS_PERCENT, frames >= LEAST_FRAMES),
        Math.round(lossPercent),
      ],
      ["high-jitter", between(stats.jitterMs, JITTER_MS, true), Math.round(stats.jitterMs)],
      [
        "sending-late",
        since("slotsMissed") >= LATE_SLOTS || (since("slotsMissed") === 0 ? false : undefined),
        since("slotsMissed"),
      ],
      ["receive-overflow", since("unread") > 0, since("unread")],
    ];
  }

  #silence({ isTalking, heardAt }: WatchedLink, now: number): Finding {
    this.#talksSince = isTalking ? this.#talksSince ?? now : undefined;
    if (this.#talksSince === undefined) return ["no-media", false, 0];
    const silentMs = now - Math.max(this.#openedAt, this.#talksSince, heardAt ?? 0);
    return ["no-media", silentMs >= SILENT_MS, Math.round(silentMs)];
  }
}

/** Raised from one value on, cleared below another, as it was in between. */
function between(
  value: number,
  limits: { readonly raise: number; readonly clear: number },
  mayRaise: boolean,
): boolean | undefined {
  if (value >= limits.raise) return mayRaise ? true : undefined;
  return value < limits.clear ? false : undefined;
}
