import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StateChange } from "../../../../src/gateway/storage/state.ts";
import { readTrunk } from "../../../../src/gateway/tenant/trunk.ts";
import { Trunks } from "../../../../src/gateway/tenant/trunks.ts";

const trunk = (trunkId: string, channelLimit = 1) =>
  readTrunk({ tenantId: "acme", trunkId, channelLimit });

const saved = () => Promise.resolve();
const full = () => Promise.reject(new Error("The disk is full"));

describe("Trunks", () => {
  it("takes no more than its limit, and replaces a record in any case", () => {
    const trunks = new Trunks("acme", 2);
    trunks.put(trunk("a"));
    trunks.put(trunk("b"));
    assert.throws(() => trunks.put(trunk("c")), { code: "ERR_LIMIT", message: /has 2, expected/ });
    trunks.put(trunk("b", 5));
    assert.equal(trunks.get("b")?.channelLimit, 5);
    assert.deepEqual(trunks.all().map(({ trunkId }) => trunkId), ["a", "b"]);
  });

  it("does not keep a trunk that lives in memory only, until it is changed", async () => {
    const trunks = new Trunks("acme", 2);
    trunks.putUnkept(trunk("a"));
    assert.deepEqual([trunks.has("a"), trunks.kept()], [true, []]);
    await trunks.change("a", trunk("a", 2), saved);
    assert.equal(trunks.kept().length, 1);
  });

  it("saves what is changed, and takes it back when it cannot be saved", async () => {
    const trunks = new Trunks("acme", 2);
    const changes: StateChange[] = [];
    await trunks.change("a", trunk("a"), (more) => Promise.resolve(void changes.push(...more)));
    assert.deepEqual(changes, [{ trunk: { tenantId: "acme", trunk: trunk("a") } }]);
    const routing = { rule: 1, webhookUrl: "" };
    trunks.routing.set("a", routing);
    await assert.rejects(trunks.change("a", undefined, full), /disk is full/);
    assert.deepEqual([trunks.get("a"), trunks.routing.get("a")], [trunk("a"), routing]);
    await trunks.change("a", undefined, saved);
    assert.deepEqual([trunks.has("a"), trunks.routing.has("a")], [false, false]);
  });

  it("goes back to what the store said meanwhile when a change cannot be saved", async () => {
    const trunks = new Trunks("acme", 2);
    const changing = trunks.change("a", trunk("a", 2), full);
    trunks.take("a", trunk("a", 3));
    // The store's record is newer than the change, which therefore does not touch it.
    await assert.rejects(changing);
    assert.equal(trunks.get("a")?.channelLimit, 3);
    trunks.take("a", undefined);
    assert.equal(trunks.has("a"), false);
  });
});
