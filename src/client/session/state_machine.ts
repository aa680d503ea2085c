/**
 * Moves a client's sessions from state to state as the table says, and has the effects carried out in order.
 *
 * @module
 */

import { deferred } from "../../base/deferred.ts";
import type { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { Clock } from "../../base/signal.ts";
import type { Connection } from "./connection.ts";
import type { Effect, SessionEvent, SessionState, StateName } from "./states.ts";
import type { RenewalReason } from "./status.ts";
import { transitions } from "./transitions.ts";

/** A transition that has happened: the state before it, and what caused it. */
export interface Step {
  readonly from: SessionState;
  readonly event: SessionEvent;
}

/** Holds the state. */
export class StateMachine {
  readonly #clock: Clock;
  readonly #run: (effect: Effect, step: Step) => void;
  #state: SessionState = { type: "idle" };
  #cancelPause: () => void = ignore;
  // A callback of the user's may cause another transition in the middle of an effect: its effects come after.
  readonly #effects: (() => void)[] = [];
  #isRunning = false;

  /** @param run Carries out one effect. */
  constructor(clock: Clock, run: (effect: Effect, step: Step) => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** The state. */
  get state(): SessionState {
    return this.#state;
  }

  /** The connection in use, which may have ended unnoticed. */
  get connection(): Connection | undefined {
    return "connection" in this.#state ? this.#state.connection : undefined;
  }

  /** Moves to the next state at once, then has the effects carried out; those under way first. */
  dispatch(event: SessionEvent): void {
    const from = this.#state;
    const transition = transitions[from.type][event.type];
    if (!("to" in transition)) {
      throw new Error(
        `Session event "${event.type}" in state "${from.type}": ${transition.unreachable}`,
      );
    }
    if (transition.to !== from.type) {
      this.#cancelPause();
      this.#cancelPause = ignore;
      this.#state = enter(transition.to, from, event);
    }
    for (const effect of transition.effects) {
      this.#effects.push(() => this.#run(effect, { from, event }));
    }
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let run = this.#effects.shift(); run !== undefined; run = this.#effects.shift()) run();
    } finally {
      this.#isRunning = false;
    }
  }

  /** Dispatches `due` after `ms` milliseconds, unless the state is or becomes another one. */
  pause(state: StateName, ms: number): void {
    if (this.#state.type !== state) return;
    this.#cancelPause = this.#clock.schedule(ms, () => this.dispatch({ type: "due" }));
  }
}

/** The state that a transition leads to, with what it holds. */
function enter(to: StateName, from: SessionState, event: SessionEvent): SessionState {
  const opening = "opening" in from ? from.opening : deferred<Connection>();
  switch (to) {
    case "idle":
      return { type: to };
    case "connecting":
    case "reconnecting":
    case "reconnecting-paused":
      return { type: to, opening };
    case "open":
      return { type: to, connection: connectionOf(from, event) };
    case "open-deferred":
      return { type: to, connection: connectionOf(from, event), reason: reasonOf({ from, event }) };
    case "renewing":
    case "renewing-paused":
      return { type: to, connection: connectionOf(from, event), opening };
    case "closed":
      return { type: to, error: endOf(event) };
  }
}

function connectionOf(from: SessionState, event: SessionEvent): Connection {
  if (event.type === "opened") return event.connection;
  if ("connection" in from) return from.connection;
  throw new Error(`State "${from.type}" has no session in use`);
}

/** Why the session in use is replaced by a transition. */
export function reasonOf({ from, event }: Step): RenewalReason {
  if ("reason" in event) return event.reason;
  return "reason" in from ? from.reason : "requested";
}

/** The error that an event ends the client with; `undefined` where its user closes it. */
export function endOf(event: SessionEvent): TeleQuickError | undefined {
  return event.type === "ended" || event.type === "gave-up" ? event.error : undefined;
}
