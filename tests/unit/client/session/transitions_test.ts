import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deferred } from "../../../../src/base/deferred.ts";
import { TeleQuickError } from "../../../../src/base/errors.ts";
import type { Connection } from "../../../../src/client/session/connection.ts";
import { StateMachine } from "../../../../src/client/session/state_machine.ts";
import type {
  Effect,
  EventName,
  SessionEvent,
  SessionState,
  StateName,
} from "../../../../src/client/session/states.ts";
import { transitions } from "../../../../src/client/session/transitions.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

const first = { name: "first" } as unknown as Connection;
const second = { name: "second" } as unknown as Connection;
const error = new TeleQuickError("ERR_SESSION_CLOSED", "Session closed", { retryable: true });

// A member that is missing in one of these does not compile.
const events: { readonly [E in EventName]: Extract<SessionEvent, { readonly type: E }> } = {
  "wanted": { type: "wanted" },
  "renew": { type: "renew", reason: "requested" },
  "defer": { type: "defer", reason: "session-ending", delayMs: 100 },
  "due": { type: "due" },
  "opened": { type: "opened", connection: second, connectMs: 1 },
  "failed": { type: "failed", error },
  "gave-up": { type: "gave-up", error },
  "lost": { type: "lost", error },
  "ended": { type: "ended", error },
  "close": { type: "close" },
};

/** How a client comes into each state. */
const ways: { readonly [S in StateName]: readonly EventName[] } = {
  "idle": [],
  "connecting": ["wanted"],
  "open": ["wanted", "opened"],
  "open-deferred": ["wanted", "opened", "defer"],
  "renewing": ["wanted", "opened", "renew"],
  "renewing-paused": ["wanted", "opened", "renew", "failed"],
  "reconnecting": ["wanted", "opened", "lost", "due"],
  "reconnecting-paused": ["wanted", "opened", "lost"],
  "closed": ["close"],
};

const states = Object.keys(ways) as StateName[];
const names = Object.keys(events) as EventName[];

/** A machine in a state, and the effects of what is dispatched from then on. */
function machineIn(state: StateName): {
  readonly machine: StateMachine;
  readonly effects: Effect[];
} {
  const effects: Effect[] = [];
  const machine = new StateMachine(new FakeClock(), (effect) => effects.push(effect));
  for (const name of ways[state]) {
    machine.dispatch(name === "opened" ? { ...events.opened, connection: first } : events[name]);
  }
  assert.equal(machine.state.type, state);
  effects.length = 0;
  return { machine, effects };
}

describe("Transitions of a client's sessions", () => {
  for (const state of states) {
    for (const name of names) {
      const transition = transitions[state][name];
      const title = "to" in transition
        ? `${state} + ${name} -> ${transition.to} [${transition.effects.join(", ")}]`
        : `${state} + ${name} cannot happen: ${transition.unreachable}`;
      it(title, () => {
        const { machine, effects } = machineIn(state);
        const before = machine.state;
        if (!("to" in transition)) {
          assert.ok(transition.unreachable.length > 10);
          assert.throws(() => machine.dispatch(events[name]), /Session event/);
          assert.equal(machine.state, before);
          return;
        }
        machine.dispatch(events[name]);
        assert.equal(machine.state.type, transition.to);
        assert.deepEqual(effects, transition.effects);
        checkHeld(before, machine.state, events[name]);
      });
    }
  }

  it("has a field for every state and event, and none besides", () => {
    assert.deepEqual(Object.keys(transitions).sort(), [...states].sort());
    for (const state of states) {
      assert.deepEqual(Object.keys(transitions[state]).sort(), [...names].sort(), state);
    }
  });

  it("reaches every state from idle, and leaves only closed for good", () => {
    for (const state of states) machineIn(state);
    for (const state of states) {
      const next = Object.values(transitions[state]).flatMap((each) => "to" in each ? each.to : []);
      assert.equal(next.some((each) => each !== state), state !== "closed", state);
    }
  });

  it("has exactly one attempt under way in the states that open a session, and none in the others", () => {
    const dialling = new Set<StateName>(["connecting", "renewing", "reconnecting"]);
    for (const state of states) {
      for (const transition of Object.values(transitions[state])) {
        if (!("to" in transition) || transition.to === state) continue;
        const starts = dialling.has(transition.to) && !dialling.has(state);
        assert.equal(transition.effects.includes("dial"), starts, `${state} -> ${transition.to}`);
      }
    }
  });

  it("arms one timer in each paused state, cancelled when the state is left", async () => {
    const clock = new FakeClock();
    const dispatched: string[] = [];
    const machine = new StateMachine(clock, (effect) => {
      dispatched.push(effect);
      if (effect === "pause-reconnect") machine.pause("reconnecting-paused", 1_000);
      // Too late: the state has been left.
      if (effect === "end") machine.pause("reconnecting-paused", 1_000);
    });
    for (const name of ways["reconnecting-paused"]) machine.dispatch(events[name]);
    assert.equal(clock.pending, 1);
    machine.dispatch(events.close);
    assert.equal(clock.pending, 0);
    await clock.advance(2_000);
    assert.equal(machine.state.type, "closed");
  });

  it("carries out the effects of a transition before those of one that they cause", () => {
    const order: string[] = [];
    const machine = new StateMachine(new FakeClock(), (effect) => {
      if (effect === "report-connecting") {
        machine.dispatch(events.close);
        order.push(machine.state.type);
      }
      order.push(effect);
    });
    machine.dispatch(events.wanted);
    assert.deepEqual(order, ["closed", "report-connecting", "dial", "end"]);
  });
});

/** Checks what a state holds after a transition. */
function checkHeld(before: SessionState, after: SessionState, event: SessionEvent): void {
  if ("connection" in after) {
    const expected = event.type === "opened" ? second : first;
    assert.equal(after.connection, expected);
  }
  if ("opening" in after) {
    assert.equal(typeof after.opening.resolve, typeof deferred().resolve);
    if ("opening" in before) {
      assert.equal(after.opening, before.opening, "those who wait go on waiting");
    }
  }
  if (after.type === "closed" && before.type !== "closed") {
    assert.equal(after.error, event.type === "close" ? undefined : error);
  }
}
