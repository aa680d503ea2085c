import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  bounded,
  Canceller,
  LateAbortController,
  SharedClock,
  sleep,
  within,
} from "../../../src/base/signal.ts";
import { FakeClock, settle } from "../../../src/testing/mod.ts";
import { seed } from "../../support/seed.ts";

const forever = (): Promise<never> => new Promise(() => {});

interface TimedWait {
  readonly at: number;
  readonly ms: number;
  readonly cancelledAfter: number | undefined;
}

const onTimeout = (): Error => new Error("too late");

describe("SharedClock", () => {
  it("calls back at the times at which timers of their own would, and not what was cancelled", async () => {
    const wait = fc.record({
      at: fc.nat(50),
      ms: fc.nat(50),
      cancelledAfter: fc.option(fc.nat(60), { nil: undefined }),
    });
    const tell = async (waits: readonly TimedWait[], isShared: boolean) => {
      const clock = new FakeClock();
      const told: string[] = [];
      const tested = isShared ? new SharedClock(clock) : clock;
      for (const [name, { at, ms, cancelledAfter }] of waits.entries()) {
        clock.schedule(at, () => {
          const cancel = tested.schedule(ms, () => told.push(`${clock.monotonic()} ${name}`));
          if (cancelledAfter !== undefined) clock.schedule(cancelledAfter + 0.5, cancel);
        });
      }
      await clock.advance(200);
      // Waits due at one moment have no order among each other.
      return told.sort();
    };
    await fc.assert(
      fc.asyncProperty(fc.array(wait, { maxLength: 12 }), async (waits) => {
        assert.deepEqual(await tell(waits, true), await tell(waits, false));
      }),
      { seed, numRuns: 40 },
    );
  });

  it("arms one timer for all, and none once it is stopped and nothing waits", async () => {
    const clock = new FakeClock();
    const shared = new SharedClock(clock);
    const cancels = [300, 100, 200, 100].map((ms) => shared.schedule(ms, () => {}));
    assert.equal(clock.pending, 1);
    for (const cancel of cancels) cancel();
    assert.equal(clock.pending, 1, "kept for the next wait");
    await clock.advance(100);
    assert.equal(clock.pending, 0);

    const cancel = shared.schedule(100, () => {});
    shared.stop();
    assert.equal(clock.pending, 1, "a wait");
    cancel();
    assert.equal(clock.pending, 0);
    shared.schedule(100, () => {})();
    assert.equal(clock.pending, 0);
  });

  it("runs what is due when asked to, also where timers are held back", async () => {
    const clock = new FakeClock();
    const shared = new SharedClock(clock);
    const told: string[] = [];
    for (const ms of [10, 20, 50]) shared.schedule(ms, () => told.push(`${ms}`));
    shared.runDue();
    assert.deepEqual(told, []);
    clock.suspend(25);
    shared.runDue();
    assert.deepEqual(told, ["10", "20"]);
    assert.equal(clock.pending, 1);
    await clock.advance(50);
    assert.deepEqual(told, ["10", "20", "50"]);
  });

  it("lets a callback cancel another that is due, and wait again", async () => {
    const clock = new FakeClock();
    const shared = new SharedClock(clock);
    const told: string[] = [];
    shared.schedule(10, () => {
      told.push("first");
      cancel();
      shared.schedule(5, () => told.push(`third at ${shared.monotonic()}`));
    });
    const cancel = shared.schedule(10, () => told.push("second"));
    await clock.advance(20);
    assert.deepEqual(told, ["first", "third at 15"]);
    assert.equal(shared.now(), clock.now());
  });
});

describe("Canceller", () => {
  it("calls every listener once, in their order, and no listener that was removed", () => {
    const canceller = new Canceller();
    const told: unknown[] = [];
    const leave = (): number => told.push("left");
    canceller.addEventListener("abort", () => told.push(canceller.reason));
    canceller.addEventListener("abort", leave);
    canceller.addEventListener("abort", () => told.push(canceller.aborted));
    canceller.removeEventListener("abort", leave);
    assert.equal(canceller.aborted, false);
    canceller.abort("why");
    canceller.abort("again");
    canceller.addEventListener("abort", leave);
    assert.deepEqual(told, ["why", true]);
    assert.equal(canceller.reason, "why");
  });
});

describe("bounded() and within()", () => {
  it("refuse a controller in place of its signal", async () => {
    const signal = new AbortController() as unknown as AbortSignal;
    const options = { signal, timeoutMs: 1, onTimeout, clock: new FakeClock() };
    const expected = {
      name: "TypeError",
      message:
        "Cannot wait: signal is not an AbortSignal (pass the controller's signal, not the controller)",
    };
    for (const run of [bounded, within]) await assert.rejects(run(forever, options), expected);
  });

  it("end with the time, the signal or the loss, whichever is first, and tell the work why", async () => {
    for (const run of [bounded, within]) {
      for (const first of ["time", "signal", "loss"]) {
        const clock = new FakeClock();
        const controller = new AbortController();
        const lost = new Canceller();
        let over: { readonly aborted: boolean; readonly reason: unknown } | undefined;
        const waiting = run((given) => {
          over = given;
          return forever();
        }, { signal: controller.signal, lost, timeoutMs: 100, clock, onTimeout });
        const rejected = assert.rejects(waiting, (reason) => reason === over?.reason);
        assert.equal(over?.aborted, false);
        if (first === "signal") controller.abort("signal");
        else if (first === "loss") lost.abort("loss");
        await clock.advance(100);
        await rejected;
        assert.equal(over?.aborted, true);
        assert.match(String(over?.reason), first === "time" ? /too late/ : new RegExp(first));
        assert.equal(clock.pending, 0);
        controller.abort("later");
        lost.abort("later");
        assert.match(String(over?.reason), first === "time" ? /too late/ : new RegExp(first));
      }
    }
  });

  it("do not begin when it is over already", async () => {
    const cancelled = new Canceller();
    cancelled.abort("over");
    for (const run of [bounded, within]) {
      for (const options of [{ signal: cancelled }, { lost: cancelled }]) {
        const waiting = run(() => assert.fail("begun"), { ...options, timeoutMs: 1, onTimeout });
        await assert.rejects(waiting, (reason) => reason === "over");
      }
    }
  });

  it("settle as the work does, and leave neither a timer nor a listener", async () => {
    const clock = new FakeClock();
    const listeners = new Set<() => void>();
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: (_: "abort", listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: "abort", listener: () => void) => void listeners.delete(listener),
    };
    const options = { signal, lost: signal, timeoutMs: 100, clock, onTimeout };
    assert.equal(await bounded(() => Promise.resolve(7), options), 7);
    await assert.rejects(
      bounded(() => Promise.reject("work"), options),
      (error) => error === "work",
    );
    const slept = sleep(50, { signal, clock });
    assert.equal(listeners.size, 1);
    await clock.advance(50);
    await slept;
    await settle();
    assert.equal(listeners.size, 0);
    assert.equal(clock.pending, 0);
  });
});

describe("LateAbortController", () => {
  it("makes one signal, aborted before or after it was asked for", () => {
    const early = new LateAbortController();
    const { signal } = early;
    assert.equal(signal, early.signal);
    assert.equal(signal.aborted, false);
    early.abort("first");
    early.abort("second");
    assert.deepEqual([signal.aborted, signal.reason], [true, "first"]);
    const late = new LateAbortController();
    late.abort("first");
    late.abort("second");
    assert.deepEqual([late.signal.aborted, late.signal.reason], [true, "first"]);
  });
});
