import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Connection } from "../../../../src/client/session/connection.ts";
import { keepAlive } from "../../../../src/client/session/keep_alive.ts";
import { scheduleRenewal, settled } from "../../../../src/client/session/renewal.ts";
import { probe } from "../../../../src/client/session/silence_watch.ts";
import { createSessionPair } from "../../../../src/transport/pair.ts";
import { Session } from "../../../../src/transport/session.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";

function connected(clock: FakeClock, more: object = {}) {
  const session = new Session(Object.assign(createSessionPair().client, more), { clock });
  const principal = { tenantId: "acme", keyId: "k0", expiresAtMs: 0, clockSkewMs: undefined };
  return new Connection(session, principal, { clock, requestLength: "inclusive", skewMs: 0 });
}

describe("scheduleRenewal()", () => {
  /** After how many milliseconds a renewal is due. */
  async function dueAfter(lifeMs: number, random: number, jumpMs = 0): Promise<number> {
    const clock = new FakeClock();
    let due = -1;
    scheduleRenewal(clock.now() + lifeMs, { clock, random: () => random }, () => {
      due = clock.monotonic();
    });
    await clock.advance(1_000);
    clock.jump(jumpMs);
    await clock.advance(lifeMs + 60_000);
    return due;
  }

  it("is due at 70 to 80 % of the token's life, after 5 s at the earliest", async () => {
    assert.equal(await dueAfter(100_000, 0), 80_000);
    assert.equal(await dueAfter(100_000, 0.5), 75_000);
    assert.equal(await dueAfter(100_000, 1), 70_000);
    assert.equal(await dueAfter(1_000, 0), 5_000);
    assert.equal(await dueAfter(-1_000, 0), 5_000);
  });

  it("sees a wall clock that jumped within 10 s", async () => {
    assert.equal(await dueAfter(3_600_000, 0, 3_600_000), 10_000);
    assert.equal(await dueAfter(100_000, 0, -20_000), 100_000);
  });

  it("is cancelled, also after it looked at the clock", async () => {
    for (const before of [0, 15_000]) {
      const clock = new FakeClock();
      const cancel = scheduleRenewal(clock.now() + 100_000, { clock, random: () => 0 }, () => {
        assert.fail("cancelled");
      });
      await clock.advance(before);
      cancel();
      assert.equal(clock.pending, 0);
      await clock.advance(200_000);
    }
  });
});

describe("settled()", () => {
  it("waits a second after the last push, 30 s at most, and not for a lost or stopped one", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const state = (connection: Connection) => {
      const seen = { isOver: false };
      void settled(connection, clock, stop.signal).then(() => seen.isOver = true);
      return seen;
    };
    const quiet = state(connected(clock));
    const speaking = connected(clock);
    const loud = state(speaking);
    const lostOne = connected(clock);
    const lost = state(lostOne);
    lostOne.session.close();
    await settle();
    assert.deepEqual([quiet.isOver, loud.isOver, lost.isOver], [false, false, true]);
    await clock.advance(500);
    speaking.speaks();
    await clock.advance(499);
    assert.equal(quiet.isOver, false);
    await clock.advance(1);
    assert.deepEqual([quiet.isOver, loud.isOver], [true, false]);
    speaking.speaks();
    for (let i = 0; i < 57; i++) {
      await clock.advance(500);
      speaking.speaks();
    }
    assert.equal(loud.isOver, false);
    await clock.advance(500);
    assert.equal(loud.isOver, true);
    const stopped = state(connected(clock));
    stop.abort();
    await settle();
    assert.equal(stopped.isOver, true);
  });
});

describe("keepAlive()", () => {
  it("pings each 10 s until the session is over, and leaves one alone that does it itself", async () => {
    const clock = new FakeClock();
    let pings = 0;
    const connection = connected(clock, { keepsAlive: false });
    connection.session.ping = () => Promise.resolve(++pings > 0);
    const kept = keepAlive(connection);
    await clock.advance(9_999);
    assert.equal(pings, 0);
    await clock.advance(1);
    await settle();
    assert.equal(pings, 1);
    await clock.advance(10_000);
    await settle();
    assert.equal(pings, 2);
    connection.session.close();
    await kept;
    const own = connected(clock, { keepsAlive: true });
    own.session.ping = () => assert.fail("it keeps itself alive");
    await keepAlive(own);
  });
});

describe("probe()", () => {
  it("looks at a session once at a time, and again when it was answered", async () => {
    const clock = new FakeClock();
    const connection = connected(clock);
    const log: string[] = [];
    const options = {
      ...{ clock, hasCalls: () => false, probeIdleMs: Infinity },
      onSilent: () => log.push(`silent at ${clock.monotonic()}`),
      onDead: (_connection: unknown, silentMs: number) =>
        log.push(`dead for ${silentMs} at ${clock.monotonic()}`),
    };
    const first = probe(connection, options);
    await probe(connection, options);
    assert.equal(connection.isProbed, true);
    await clock.advance(4_999);
    assert.deepEqual(log, []);
    await clock.advance(1);
    assert.deepEqual(log, ["silent at 5000"]);
    await clock.advance(9_999);
    assert.equal(log.length, 1);
    await clock.advance(1);
    await first;
    assert.deepEqual(log.slice(1), ["dead for 15000 at 15000"]);
    assert.equal(connection.isProbed, false);
    const second = probe(connection, options);
    await clock.advance(2_000);
    connection.speaks();
    await clock.advance(1_000);
    await second;
    assert.equal(log.length, 2);
  });
});
