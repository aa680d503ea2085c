/**
 * Watching the gateway. Nothing is computed and no timer runs while it is not watched.
 *
 * @module
 */

import { Queue } from "../../base/queue.ts";
import type { Clock } from "../../base/signal.ts";
import { SlotTimer } from "../../base/slot_timer.ts";
import { type CallEvent, EventType } from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import { LevelMeter } from "../call/level_meter.ts";
import type { GatewayLogRecord, LogWatcher } from "../log.ts";
import { qualityOf, snapshotOf } from "./call_snapshot.ts";
import type { GatewayRecord, GatewayWatch, WatchOptions } from "./records.ts";

/** Options of {@linkcode Watchers}. */
export interface WatchersOptions {
  readonly clock: Clock;
  /** The live calls of all tenants. */
  readonly calls: () => Iterable<Call>;
}

const MOST_WAITING = 1_024;
const LEVELS_MS = 200;

const eventNames: ReadonlyMap<number, string> = new Map(
  Object.entries(EventType).map(([name, number]) => [number, name]),
);

/** Hands on what happens. */
export class Watchers implements LogWatcher {
  readonly #options: WatchersOptions;
  readonly #watchers = new Set<Queue<GatewayRecord>>();
  readonly #ofLevels = new Set<Queue<GatewayRecord>>();
  readonly #timer: SlotTimer;
  #isClosed = false;

  constructor(options: WatchersOptions) {
    this.#options = options;
    this.#timer = new SlotTimer({
      clock: options.clock,
      slotMs: LEVELS_MS,
      onSlot: () => this.#readLevels(),
    });
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Begins to watch. */
  watch({ signal, levels = false }: WatchOptions = {}): GatewayWatch {
    const end = (): void => queue.close();
    const queue = new Queue<GatewayRecord>({
      capacity: MOST_WAITING,
      overflow: "drop-oldest",
      onEnd: () => {
        this.#watchers.delete(queue);
        this.#ofLevels.delete(queue);
        signal?.removeEventListener("abort", end);
        if (this.#ofLevels.size === 0) this.#stopMetering();
      },
    });
    if (this.#isClosed || signal?.aborted) {
      queue.close();
      return queue;
    }
    signal?.addEventListener("abort", end);
    this.#watchers.add(queue);
    if (levels) {
      this.#ofLevels.add(queue);
      for (const call of this.#options.calls()) meter(call);
      if (!this.#timer.isRunning) this.#timer.start(1);
    }
    return queue;
  }

  log(record: GatewayLogRecord): void {
    this.#push({ type: "log", record });
  }

  /** A call has an event. */
  call(call: Call, { eventType, status, q850Cause, timestampMs: timeMs }: CallEvent): void {
    if (!this.isWatched) return;
    const event = eventNames.get(eventType) ?? String(eventType);
    this.#push({ type: "call", timeMs, event, status, q850Cause, call: snapshotOf(call) });
  }

  /** Ends all of them: what waits can still be read. */
  close(): void {
    this.#isClosed = true;
    for (const queue of [...this.#watchers]) queue.close();
  }

  #push(record: GatewayRecord): void {
    for (const queue of this.#watchers) queue.push(record);
  }

  #readLevels(): void {
    const calls = [];
    for (const call of this.#options.calls()) {
      const levels = meter(call)?.read();
      if (levels === undefined) continue;
      const { callSid, options: { tenantId } } = call;
      calls.push({ callSid, tenantId, levels, quality: qualityOf(call) });
    }
    if (calls.length === 0) return;
    const record = { type: "levels", timeMs: this.#options.clock.now(), calls } as const;
    for (const queue of this.#ofLevels) queue.push(record);
  }

  #stopMetering(): void {
    if (!this.#timer.isRunning) return;
    this.#timer.stop();
    for (const { media } of this.#options.calls()) {
      if (media !== undefined) media.meter = undefined;
    }
  }
}

/** The meter of an answered call: from here on it measures. */
function meter({ media }: Call): LevelMeter | undefined {
  return media && (media.meter ??= new LevelMeter());
}
