import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bucketRoutes } from "../../../../src/gateway/methods/buckets.ts";
import type { Call } from "../../../../src/gateway/call/call.ts";
import type { RpcContext } from "../../../../src/gateway/methods/route.ts";
import { readTrunk } from "../../../../src/gateway/tenant/trunk.ts";
import { Trunks } from "../../../../src/gateway/tenant/trunks.ts";
import { methods } from "../../../../src/wire/mod.ts";

describe("GetActiveBuckets", () => {
  it("looks at each call once, however many trunks there are", async () => {
    let looks = 0;
    const call = (direction: string, state: string, trunkId: string, isParked: boolean) => ({
      get isParked() {
        looks++;
        return isParked;
      },
      ...{ state, options: { direction, trunkId } },
    });
    const calls = [
      call("inbound", "ringing", "t7", false),
      call("inbound", "ringing", "t7", false),
      call("inbound", "answered", "t8", true),
      call("outbound", "ringing", "t8", false),
      call("inbound", "ringing", "t9", false),
    ] as unknown as Call[];
    const trunks = new Trunks("acme", 256);
    for (let i = 0; i < 256; i++) trunks.put(readTrunk({ tenantId: "acme", trunkId: `t${i}` }));
    const tenant = {
      ...{ calls: () => calls.values(), trunks, campaigns: new Map() },
      mayReach: () => true,
      work: { run: (work: (slices: object) => unknown) => work({ isOver: false }) },
    };
    const { handle } = bucketRoutes.find(({ method }) => method === methods.GetActiveBuckets)!;
    const context = { tenant, session: {} } as unknown as RpcContext;
    assert.deepEqual(await handle({}, context, { keepOpen: () => () => {} }), {
      buckets: [
        { bucketId: "parked", pendingCount: 1 },
        { bucketId: "incoming:t7", pendingCount: 2 },
        { bucketId: "incoming:t9", pendingCount: 1 },
      ],
    });
    assert.equal(looks, calls.length);
  });
});
