import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { subscribe } from "../../../../src/cli/commands/tail.ts";
import { TeleQuickError } from "../../../../src/base/errors.ts";

async function* sessions(count: number) {
  for (let i = 0; i < count; i++) yield { type: "open" } as const;
}

/** Subscribes two sessions, of which the first fails so. Returns how often it was asked for and how often there. */
async function withFirst(error: Error): Promise<{ asked: number; there: number }> {
  const seen = { asked: 0, there: 0 };
  const client = {
    streamEvents: () => seen.asked++ === 0 ? Promise.reject(error) : Promise.resolve({}),
  } as unknown as Parameters<typeof subscribe>[0];
  await subscribe(client, sessions(2), new AbortController().signal, () => void seen.there++);
  return seen;
}

describe("subscribe()", () => {
  it("leaves a lost session to the next", async () => {
    const lost = new TeleQuickError("ERR_SESSION_CLOSED", "Lost", { retryable: true });
    assert.deepEqual(await withFirst(lost), { asked: 2, there: 1 });
  });

  it("does not stay deaf on a living session that refuses for now", async () => {
    const refused = new TeleQuickError("ERR_RPC_REJECTED", "Slow down", {
      rpcCode: 3,
      retryable: true,
    });
    await assert.rejects(withFirst(refused), refused);
  });
});
