// node --test
import assert from "node:assert/strict";
import { test } from "node:test";
import { testGateway } from "@telequick/sdk/testing";

test("a busy number", async () => {
  const kit = await testGateway({ clock: "fake" });
  const call = await kit.client.dial({ to: "+15550101", trunkId: kit.trunkId });
  const { cause } = await kit.clock.runUntil(call.ended);
  assert.equal(cause, "user busy");
  await kit.close();
});
