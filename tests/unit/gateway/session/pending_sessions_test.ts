import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveLimits } from "../../../../src/gateway/limits.ts";
import { PendingSessions, type Waiting } from "../../../../src/gateway/session/pending_sessions.ts";

function fill(
  pending: PendingSessions,
  count: number,
  address?: string,
): { readonly evicted: number[]; readonly all: Waiting[] } {
  const evicted: number[] = [];
  const all = Array.from(
    { length: count },
    (_, i) => ({ address, evict: () => void evicted.push(i) }),
  );
  for (const waiting of all) pending.enter(waiting);
  return { evicted, all };
}

describe("PendingSessions", () => {
  it("lets the longest waiting go for one too many, in all", () => {
    const pending = new PendingSessions(resolveLimits({ handshakes: 5 }));
    const { evicted, all } = fill(pending, 7);
    assert.deepEqual([evicted, pending.size], [[0, 1], 5]);
    pending.leave(all[2]!);
    pending.leave(all[2]!);
    assert.deepEqual([fill(pending, 1).evicted, evicted, pending.size], [[], [0, 1], 5]);
  });

  it("and of one address, unless it is a loopback address", () => {
    const pending = new PendingSessions(resolveLimits({ handshakesPerAddress: 2 }));
    assert.deepEqual(fill(pending, 4, "203.0.113.1").evicted, [0, 1]);
    assert.deepEqual(fill(pending, 4, "203.0.113.2").evicted, [0, 1]);
    assert.deepEqual(fill(pending, 4, "2001:db8::1").evicted, [0, 1]);
    for (const address of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", undefined]) {
      assert.deepEqual(fill(pending, 4, address).evicted, [], String(address));
    }
  });

  it("forgets addresses without waiting sessions", () => {
    const pending = new PendingSessions(resolveLimits({ handshakesPerAddress: 1 }));
    const { all } = fill(pending, 1, "203.0.113.1");
    pending.leave(all[0]!);
    assert.deepEqual([fill(pending, 1, "203.0.113.1").evicted, pending.size], [[], 1]);
  });
});
