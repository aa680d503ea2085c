import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickError } from "../../../../src/base/errors.ts";
import { AnnouncedEnds } from "../../../../src/client/session/announced_ends.ts";
import { Connection } from "../../../../src/client/session/connection.ts";
import {
  endingError,
  isCredentialFailure,
  isExpiry,
  isRefusal,
} from "../../../../src/client/session/end_errors.ts";
import { messageOf } from "../../../../src/base/text/message.ts";
import { createSessionPair } from "../../../../src/transport/pair.ts";
import { Session } from "../../../../src/transport/session.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";

const clock = new FakeClock(1_000_000);

function connected(expiresAtMs = 0) {
  const session = new Session(createSessionPair().client, { clock });
  const principal = { tenantId: "acme", keyId: "k0", expiresAtMs, clockSkewMs: undefined };
  return new Connection(session, principal, { clock, requestLength: "inclusive", skewMs: 5 });
}

const restart = { code: 503, reason: "restart", reconnect: true };
const over = { code: 500, reason: "over", reconnect: false };
const unauthorized = { code: 401, reason: "token expired", reconnect: false };

describe("AnnouncedEnds", () => {
  it("says whether another session can take the place of one that ends", () => {
    const rows = [
      [restart, true, false, true],
      [restart, false, true, false],
      [over, true, true, false],
      [unauthorized, true, true, true],
      [unauthorized, true, false, false],
    ] as const;
    for (const [ending, reconnect, renewable, expected] of rows) {
      const ends = new AnnouncedEnds({ clock, reconnect, renewable });
      assert.equal(ends.add(connected(), ending), expected);
    }
  });

  it("remembers when each announcement came", async () => {
    const ends = new AnnouncedEnds({ clock, reconnect: true, renewable: true });
    const [first, second] = [connected(), connected()];
    await clock.advance(7);
    ends.add(first, restart);
    assert.deepEqual([ends.heardAt(first), ends.heardAt(second)], [clock.monotonic(), undefined]);
    assert.equal(first.heardAt, clock.monotonic());
  });

  it("goes on after a loss where the gateway does not say otherwise and the client reconnects", () => {
    const rows = [
      [undefined, true, "lost", "ERR_SESSION_CLOSED"],
      [undefined, false, "ended", "ERR_SESSION_CLOSED"],
      [restart, true, "lost", "ERR_SESSION_CLOSED"],
      [restart, false, "ended", "ERR_SESSION_CLOSED"],
      [over, true, "ended", "ERR_SESSION_CLOSED"],
      [unauthorized, true, "lost", "ERR_UNAUTHORIZED"],
    ] as const;
    for (const [ending, reconnect, type, code] of rows) {
      const ends = new AnnouncedEnds({ clock, reconnect, renewable: true });
      const connection = connected();
      if (ending !== undefined) ends.add(connection, ending);
      const event = ends.lossOf(connection);
      assert.equal(event.type, type);
      const { error } = event as { error: TeleQuickError };
      assert.deepEqual([error.code, error.retryable], [code, ending?.reconnect ?? true]);
    }
  });

  it("ends with a plain token that has run out, and with no other", () => {
    const now = clock.now() - 5;
    for (
      const [renewable, expiresAtMs, expected] of [
        [false, now, "ended"],
        [false, now + 1, "lost"],
        [false, 0, "lost"],
        [true, now, "lost"],
      ] as const
    ) {
      const ends = new AnnouncedEnds({ clock, reconnect: true, renewable });
      const event = ends.lossOf(connected(expiresAtMs));
      assert.equal(event.type, expected);
      const { code } = (event as { error: TeleQuickError }).error;
      assert.equal(code, expected === "ended" ? "ERR_TOKEN_EXPIRED" : "ERR_SESSION_CLOSED");
    }
  });
});

describe("errors of endings", () => {
  it("say what the gateway announced", () => {
    assert.equal(endingError(undefined), undefined);
    for (const ending of [restart, over]) {
      const error = endingError(ending);
      assert.equal(error?.code, "ERR_SESSION_CLOSED");
      assert.equal(error?.message, `Gateway ended the session: ${ending.reason}`);
      assert.equal(error?.retryable, ending.reconnect);
    }
    for (
      const [reason, refusal] of [
        ["token expired", "expired"],
        ["key revoked", "revoked"],
        ["no", "rejected"],
        ["unexpiredly", "rejected"],
        ["unrevoked", "rejected"],
      ] as const
    ) {
      const error = endingError({ ...unauthorized, reason });
      assert.deepEqual([error?.code, error?.refusal, error?.retryable], [
        "ERR_UNAUTHORIZED",
        refusal,
        false,
      ]);
    }
  });

  it("are sorted by what they say about the credentials", () => {
    const kinds = (code: TeleQuickError["code"], more = {}) => {
      const error = new TeleQuickError(code, "x", more);
      return [isRefusal(error), isCredentialFailure(error), isExpiry(error)];
    };
    assert.deepEqual(kinds("ERR_UNAUTHORIZED"), [true, false, false]);
    assert.deepEqual(kinds("ERR_UNAUTHORIZED", { refusal: "expired" }), [true, false, true]);
    assert.deepEqual(kinds("ERR_TOKEN_EXPIRED"), [false, true, true]);
    assert.deepEqual(kinds("ERR_CREDENTIALS_INVALID"), [false, true, false]);
    assert.deepEqual(kinds("ERR_KEY_UNSUPPORTED"), [false, true, false]);
    assert.deepEqual(kinds("ERR_SESSION_CLOSED"), [false, false, false]);
    assert.deepEqual([messageOf(new Error("a")), messageOf("b")], ["a", "b"]);
  });
});

describe("Connection", () => {
  it("is over with its session, and says by what", async () => {
    const connection = connected(100);
    assert.equal(connection.expiresAtMs, 105);
    assert.equal(connected(0).expiresAtMs, 0);
    assert.equal(connection.lost.aborted, false);
    connection.session.close();
    await settle();
    assert.equal(connection.lost.reason.code, "ERR_SESSION_CLOSED");
    assert.equal(connection.lost.reason.retryable, true);
    await connection.drained();
  });

  it("counts its calls, and rejects them with the loss when its session is over", async () => {
    const connection = connected();
    const options = { signal: undefined, timeoutMs: 60_000 };
    const calls = [1, 2].map(() => connection.call(methods.GetActiveBuckets, {}, options));
    const outcomes = Promise.allSettled(calls);
    let isDrained = false;
    const drained = connection.drained().then(() => isDrained = true);
    await settle();
    assert.deepEqual([connection.inFlight, isDrained], [2, false]);
    connection.session.close();
    for (const outcome of await outcomes) {
      assert.equal((outcome as PromiseRejectedResult).reason, connection.lost.reason);
    }
    await drained;
    assert.equal(connection.inFlight, 0);
    await assert.rejects(
      connection.call(methods.GetActiveBuckets, {}, options),
      (error) => error === connection.lost.reason,
    );
  });

  it("is quiet when nothing was pushed for so long, counted from the last push", async () => {
    await clock.advance(500);
    const connection = connected();
    let isQuiet = false;
    const quiet = connection.quiet(1_000, new AbortController().signal)
      .then(() => isQuiet = true);
    await clock.advance(600);
    connection.speaks();
    assert.equal(connection.receivedAt, clock.monotonic());
    await clock.advance(999);
    assert.equal(isQuiet, false);
    await clock.advance(1);
    await quiet;
    assert.ok(connection.heardAt < connection.receivedAt);
  });
});
