/**
 * What the page knows: the server's state, kept up to date by its events, and how loud each call was of late.
 *
 * @module
 */

import { systemClock } from "../../base/signal.ts";
import type { CallView, LevelsView, Line, PanelState } from "../messages.ts";
import { ApiError, follow } from "./api.ts";

/** How loud and how good a call was of late, the newest last. */
export interface Trace {
  readonly toFarEnd: number[];
  readonly toProgram: number[];
  last: LevelsView;
}

// A minute at five a second.
const TRACE_LENGTH = 300;
const MOST_CALLS = 200;
const MOST_REFUSALS = 200;
const SHOW_EVERY_MS = 100;
const RETRY_MS = 1_000;

/** The key of a call: ids are unique within a tenant. */
export function keyOf(call: { readonly tenantId: string; readonly callSid: string }): string {
  return `${call.tenantId} ${call.callSid}`;
}

/** What the page shows. */
export class Store {
  state: PanelState | undefined;
  /** By their keys, the oldest first. */
  readonly calls: Map<string, CallView> = new Map();
  readonly traces: Map<string, Trace> = new Map();
  /** Why nothing new comes; empty while it does. */
  problem = "";
  readonly #listeners = new Set<() => void>();
  #isDue = false;

  /** The state, once there is one. Rejects when the server refuses it. */
  readonly ready: Promise<PanelState>;
  #onReady: (state: PanelState | Promise<never>) => void = () => {};

  constructor() {
    this.ready = new Promise((resolve) => this.#onReady = resolve);
    // The page shows the problem in any case.
    this.ready.catch(() => {});
  }

  /** The call of this id that rings in the phone, or that it talks on. */
  phoneCall(callSid: string): CallView | undefined {
    return this.calls.get(keyOf({ tenantId: this.state?.phone.tenantId ?? "", callSid }));
  }

  /** Calls back soon after each change, and now. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
    listener();
  }

  /** Follows the server for as long as the page lives. */
  async run(): Promise<void> {
    while (true) {
      try {
        await follow((line) => this.#take(line));
        this.problem = "The gateway has stopped, or is being restarted";
      } catch (error) {
        this.problem = error instanceof Error ? error.message : String(error);
        if (error instanceof ApiError && [401, 403].includes(error.status)) {
          this.#onReady(Promise.reject(error));
          return this.#show();
        }
      }
      this.#show();
      await new Promise<void>((resolve) => systemClock.schedule(RETRY_MS, resolve));
    }
  }

  #take(line: Line): void {
    switch (line.type) {
      case "state":
        this.problem = "";
        this.state = line.state;
        this.#onReady(line.state);
        this.calls.clear();
        for (const call of line.state.calls) this.calls.set(keyOf(call), call);
        for (const key of this.traces.keys()) if (!this.calls.has(key)) this.traces.delete(key);
        break;
      case "overview":
        if (this.state !== undefined) this.state = { ...this.state, ...line.overview };
        break;
      case "call":
        this.calls.set(keyOf(line.call), line.call);
        this.#forget();
        break;
      case "refusal":
        if (this.state !== undefined) {
          const refusals = [...this.state.refusals, line.refusal].slice(-MOST_REFUSALS);
          this.state = { ...this.state, refusals };
        }
        break;
      case "levels":
        for (const levels of line.levels) this.#trace(levels);
    }
    this.#changed();
  }

  #trace(levels: LevelsView): void {
    const { toFarEnd, toProgram } = levels;
    const key = keyOf(levels);
    let trace = this.traces.get(key);
    if (trace === undefined) {
      this.traces.set(key, trace = { toFarEnd: [], toProgram: [], last: levels });
    }
    trace.last = levels;
    for (
      const [values, value] of [[trace.toFarEnd, toFarEnd], [trace.toProgram, toProgram]] as const
    ) {
      values.push(value);
      if (values.length > TRACE_LENGTH) values.shift();
    }
  }

  /** The oldest calls that have ended make room. */
  #forget(): void {
    for (const [key, { state }] of this.calls) {
      if (this.calls.size <= MOST_CALLS) return;
      if (state !== "ended") continue;
      this.calls.delete(key);
      this.traces.delete(key);
    }
  }

  #changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    systemClock.schedule(SHOW_EVERY_MS, () => {
      this.#isDue = false;
      this.#show();
    });
  }

  #show(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The one store. */
export const store: Store = new Store();
