// npx vitest run
import { expect, test } from "vitest";
import { testGateway } from "@telequick/sdk/testing";

test("a lost connection", async () => {
  const kit = await testGateway({ clock: "fake" });
  const call = await kit.client.dial({ to: "+15550100", trunkId: kit.trunkId });
  await kit.clock.runUntil(call.answered());
  kit.session.drop();
  await kit.clock.runUntil(() => kit.client.stats().session.opened === 2);
  await kit.clock.runUntil(call.hangUp());
  expect((await kit.clock.runUntil(call.ended)).q850Cause).toBe(16);
  await kit.close();
});
