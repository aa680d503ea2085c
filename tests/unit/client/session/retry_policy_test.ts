import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickError } from "../../../../src/base/errors.ts";
import { RetryPolicy } from "../../../../src/client/session/retry_policy.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

function policy(more: { renewable?: boolean; giveUpAfterMs?: number } = {}) {
  const clock = new FakeClock();
  const options = { clock, random: () => 0.5, renewable: true, giveUpAfterMs: Infinity, ...more };
  return { clock, retry: new RetryPolicy(options) };
}

const unreachable = new TeleQuickError("ERR_CONNECT_FAILED", "no answer", { retryable: true });

describe("RetryPolicy", () => {
  it("counts attempts on after a session of less than 10 s, and from 1 after a longer one", async () => {
    const { clock, retry } = policy();
    await clock.advance(60_000);
    retry.opened();
    retry.lost();
    assert.deepEqual(retry.nextAttempt(), { attempt: 1, delayMs: 125 });
    assert.deepEqual(retry.nextAttempt(), { attempt: 2, delayMs: 375 });
    retry.opened();
    await clock.advance(9_999);
    retry.lost();
    assert.equal(retry.nextAttempt().attempt, 3);
    retry.opened();
    await clock.advance(10_000);
    retry.lost();
    assert.equal(retry.nextAttempt().attempt, 1);
  });

  it("waits longer for each replacement that could not be opened, until one is", () => {
    const { retry } = policy();
    assert.deepEqual([retry.renewalDelay(), retry.renewalDelay()], [125, 375]);
    retry.opened();
    assert.equal(retry.renewalDelay(), 125);
  });

  it("replaces at once, but for a session that was ended early after another", async () => {
    const { clock, retry } = policy();
    await clock.advance(60_000);
    retry.opened();
    assert.deepEqual([1, 2, 3].map(() => retry.replacementDelay()), [0, 125, 375]);
    retry.opened();
    await clock.advance(10_000);
    assert.equal(retry.replacementDelay(), 0);
    retry.opened();
    assert.deepEqual([1, 2].map(() => retry.replacementDelay()), [0, 125]);
  });

  it("gives up on a refusal where no other token can be had, and on none where one can", () => {
    const refused = new TeleQuickError("ERR_UNAUTHORIZED", "Rejected", { refusal: "rejected" });
    const expired = new TeleQuickError("ERR_UNAUTHORIZED", "Expired", { refusal: "expired" });
    const unusable = new TeleQuickError("ERR_KEY_UNSUPPORTED", "EC");
    const plain = policy({ renewable: false }).retry;
    assert.equal(plain.giveUp(refused), refused);
    assert.equal(plain.giveUp(unusable), unusable);
    assert.equal(plain.giveUp(expired)?.code, "ERR_TOKEN_EXPIRED");
    assert.equal(plain.giveUp(unreachable), undefined);
    assert.equal(plain.giveUp(new Error("no")), undefined);
    const renewable = policy().retry;
    for (const error of [refused, expired, unusable, unreachable]) {
      assert.equal(renewable.giveUp(error), undefined);
    }
  });

  it("gives up when it was without a session for so long, and says by what", async () => {
    const { clock, retry } = policy({ giveUpAfterMs: 30_000 });
    assert.equal(retry.giveUp(unreachable), undefined, "before the first session");
    await clock.advance(60_000);
    assert.equal(retry.giveUp(unreachable), undefined, "before the first session");
    retry.opened();
    retry.lost();
    await clock.advance(29_999);
    assert.equal(retry.giveUp(unreachable), undefined);
    await clock.advance(1);
    const given = retry.giveUp(unreachable);
    assert.equal(given?.message, "Cannot reconnect within 30 s: no answer");
    assert.deepEqual([given?.code, given?.retryable, given?.cause], [
      "ERR_CONNECT_FAILED",
      true,
      unreachable,
    ]);
    assert.deepEqual(["refusal" in given!, "rpcCode" in given!], [
      "refusal" in unreachable,
      "rpcCode" in unreachable,
    ]);
    retry.opened();
    retry.lost();
    assert.equal(retry.giveUp(unreachable), undefined, "counted anew");
  });

  it("keeps what an error says about the refusal, and wraps what is not an error of ours", async () => {
    const { clock, retry } = policy({ giveUpAfterMs: 1_000 });
    retry.opened();
    retry.lost();
    await clock.advance(1_000);
    const limited = new TeleQuickError("ERR_RPC_REJECTED", "Full", { rpcCode: 3, retryable: true });
    assert.equal(retry.giveUp(limited)?.rpcCode, 3);
    assert.equal(retry.giveUp(limited)?.refusal, undefined);
    const revoked = new TeleQuickError("ERR_UNAUTHORIZED", "Revoked", { refusal: "revoked" });
    const given = retry.giveUp(revoked);
    assert.deepEqual([given?.refusal, given?.retryable, given?.rpcCode], [
      "revoked",
      false,
      undefined,
    ]);
    const cause = new Error("odd");
    const odd = retry.giveUp(cause);
    assert.deepEqual([odd?.code, odd?.message, odd?.cause], [
      "ERR_CONNECT_FAILED",
      "Cannot reconnect within 1 s: odd",
      cause,
    ]);
  });

  it("counts a minute at most between two attempts: the program was suspended", async () => {
    const { clock, retry } = policy({ giveUpAfterMs: 120_000 });
    retry.opened();
    retry.lost();
    await clock.advance(3_600_000);
    assert.equal(retry.giveUp(unreachable), undefined);
    await clock.advance(59_999);
    assert.equal(retry.giveUp(unreachable), undefined);
    await clock.advance(1);
    assert.ok(retry.giveUp(unreachable));
  });
});
