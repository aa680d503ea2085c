import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { generateServiceAccount, importSigner } from "../../../src/credentials/mod.ts";
import { signToken } from "../../../src/token/mod.ts";
import { FakeClock } from "../../../src/testing/mod.ts";

describe("FakeClock.advance()", () => {
  it("runs timers in the order of their times, and of their arming where these are equal", async () => {
    const clock = new FakeClock(1_000);
    const ran: string[] = [];
    clock.schedule(20, () => ran.push(`c ${clock.now()}`));
    clock.schedule(10, () => ran.push(`a ${clock.now()}`));
    clock.schedule(10, () => ran.push(`b ${clock.now()}`));
    clock.schedule(21, () => ran.push("late"));
    await clock.advance(20);
    assert.deepEqual(ran, ["a 1010", "b 1010", "c 1020"]);
    assert.deepEqual([clock.pending, clock.now(), clock.monotonic()], [1, 1_020, 20]);
  });

  it("waits for the library's cryptography before the next timer", async () => {
    const clock = new FakeClock();
    const { account } = await generateServiceAccount({ tenantId: "acme" });
    const signer = await importSigner(account);
    const ran: string[] = [];
    clock.schedule(10, () => {
      void signToken(signer, { now: clock.now() }).then(() => ran.push("signed"));
    });
    clock.schedule(11, () => ran.push("next"));
    await clock.advance(20);
    assert.deepEqual(ran, ["signed", "next"]);
  });

  it("waits for what it is to track", async () => {
    const clock = new FakeClock();
    const ran: string[] = [];
    clock.schedule(1, () => void clock.track(wait(20)).then(() => ran.push("answered")));
    clock.schedule(2, () => ran.push("next"));
    await clock.advance(2);
    assert.deepEqual(ran, ["answered", "next"]);
  });

  it("runs no timer that was cancelled, and one that came due while suspended", async () => {
    const clock = new FakeClock();
    const ran: number[] = [];
    clock.schedule(5, () => ran.push(1))();
    clock.schedule(5, () => ran.push(clock.monotonic()));
    clock.suspend(50);
    assert.deepEqual(ran, []);
    await clock.advance(0);
    assert.deepEqual(ran, [50]);
  });

  it("moves the wall clock alone by jump()", () => {
    const clock = new FakeClock(1_000);
    clock.jump(-500);
    assert.deepEqual([clock.now(), clock.monotonic()], [500, 0]);
  });
});

describe("FakeClock.runUntil()", () => {
  it("stops at the timer that settles the promise, and gives what it resolved with", async () => {
    const clock = new FakeClock();
    const promise = new Promise<string>((resolve) => clock.schedule(300, () => resolve("here")));
    clock.schedule(301, () => assert.fail("it ran too far"));
    assert.equal(await clock.runUntil(promise), "here");
    assert.equal(clock.monotonic(), 300);
  });

  it("rejects as the promise does", async () => {
    const clock = new FakeClock();
    const promise = new Promise((_, reject) => clock.schedule(5, () => reject(new Error("gone"))));
    await assert.rejects(clock.runUntil(promise), /gone/);
  });

  it("stops when the function returns true", async () => {
    const clock = new FakeClock();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.schedule(20, tick);
    };
    clock.schedule(20, tick);
    await clock.runUntil(() => ticks === 3);
    assert.equal(clock.monotonic(), 60);
  });

  it("says that nothing is scheduled, or that the time is over", async () => {
    const clock = new FakeClock();
    await assert.rejects(clock.runUntil(new Promise(() => {})), {
      message: "Cannot run on: after 0 ms nothing is scheduled and the condition does not hold",
    });
    clock.schedule(5_000, () => {});
    await assert.rejects(clock.runUntil(() => false, { limitMs: 1_000 }), {
      message: "Cannot run on: the condition does not hold within 1000 ms",
    });
  });
});
