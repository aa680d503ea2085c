import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveLimits } from "../../../src/gateway/limits.ts";
import { Lobby, type Waiting } from "../../../src/gateway/lobby.ts";

function fill(
  lobby: Lobby,
  count: number,
  address?: string,
): { readonly evicted: number[]; readonly all: Waiting[] } {
  const evicted: number[] = [];
  const all = Array.from(
    { length: count },
    (_, i) => ({ address, evict: () => void evicted.push(i) }),
  );
  for (const waiting of all) lobby.enter(waiting);
  return { evicted, all };
}

describe("Lobby", () => {
  it("lets the longest waiting go for one too many, in all", () => {
    const lobby = new Lobby(resolveLimits({ handshakes: 5 }));
    const { evicted, all } = fill(lobby, 7);
    assert.deepEqual([evicted, lobby.size], [[0, 1], 5]);
    lobby.leave(all[2]!);
    lobby.leave(all[2]!);
    assert.deepEqual([fill(lobby, 1).evicted, evicted, lobby.size], [[], [0, 1], 5]);
  });

  it("and of one address, unless it is a loopback address", () => {
    const lobby = new Lobby(resolveLimits({ handshakesPerAddress: 2 }));
    assert.deepEqual(fill(lobby, 4, "203.0.113.1").evicted, [0, 1]);
    assert.deepEqual(fill(lobby, 4, "203.0.113.2").evicted, [0, 1]);
    assert.deepEqual(fill(lobby, 4, "2001:db8::1").evicted, [0, 1]);
    for (const address of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", undefined]) {
      assert.deepEqual(fill(lobby, 4, address).evicted, [], String(address));
    }
  });

  it("forgets addresses that nobody waits at", () => {
    const lobby = new Lobby(resolveLimits({ handshakesPerAddress: 1 }));
    const { all } = fill(lobby, 1, "203.0.113.1");
    lobby.leave(all[0]!);
    assert.deepEqual([fill(lobby, 1, "203.0.113.1").evicted, lobby.size], [[], 1]);
  });
});
