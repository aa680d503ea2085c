// deno test
import { scriptedPhone, testGateway } from "@telequick/sdk/testing";

Deno.test("a caller who hangs up after two seconds", async () => {
  const farEnd = scriptedPhone([{ type: "answer" }, { type: "wait", ms: 2000 }, {
    type: "hangUp",
  }]);
  await using kit = await testGateway({ clock: "fake", farEnd });
  const { client, clock, gateway, tenantId, trunkId } = kit;
  await client.setInboundRouting({ trunkId, rule: 2, webhookUrl: "https://example.com/" });
  const { callSid } = await gateway.simulateInboundCall({ tenantId, trunkId });
  const call = await client.answerIncomingCall({ callSid });
  const { durationSeconds } = await clock.runUntil(call.ended);
  if (durationSeconds !== 2) throw new Error(`It lasted ${durationSeconds} s`);
});
