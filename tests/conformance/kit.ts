import { toneSamples } from "@telequick/sdk/audio";
import { scriptedPhone, testGateway } from "@telequick/sdk/testing";
import { type Check, equal, ok, refused } from "./check.ts";

export const kitChecks: readonly Check[] = [
  {
    title: "testGateway(): a call of two seconds on the fake clock leaves nothing open",
    async run() {
      await using kit = await testGateway({ clock: "fake" });
      const call = await kit.client.dial({ to: "+15550105", trunkId: kit.trunkId });
      const { cause, durationSeconds } = await kit.clock.runUntil(call.ended);
      equal([cause, durationSeconds], ["normal call clearing", 2]);
      await kit.assertSettled();
    },
  },
  {
    title: "testGateway(): a client outlives a lost session, a stall, an expiry and a restart",
    async run() {
      await using kit = await testGateway({ clock: "fake" });
      const { client, clock } = kit;
      await client.connect();
      const faults = [
        () => kit.session.drop(),
        () => kit.session.stall(60_000),
        () => kit.expireToken(),
        () => kit.restartGateway(),
      ];
      for (const [index, fault] of faults.entries()) {
        await fault();
        await clock.runUntil(() => client.stats().session.opened === index + 2);
        await clock.runUntil(client.getActiveBuckets());
      }
    },
  },
  {
    title: "testGateway(): a revoked key is refused, with the gateway's own reason as the cause",
    async run() {
      await using kit = await testGateway({ clock: "fake" });
      await kit.revokeKey();
      const error = await refused(kit.client.connect(), { code: "ERR_UNAUTHORIZED" });
      ok(error.cause instanceof Error && error.cause.message.includes("revoked"), "cause");
    },
  },
  {
    title: "scriptedPhone(): the far end rings, talks, presses a key, hears the tone and hangs up",
    async run() {
      const farEnd = scriptedPhone([
        { type: "ring", ms: 300 },
        { type: "answer" },
        { type: "talk", ms: 400 },
        { type: "press", digits: "5" },
        { type: "wait", ms: 1_000 },
        { type: "hangUp", q850Cause: 31 },
      ]);
      await using kit = await testGateway({ clock: "fake", farEnd });
      const call = await kit.client.dial({ to: "+15550123", trunkId: kit.trunkId });
      await kit.clock.runUntil(call.answered());
      equal(kit.clock.monotonic(), 300, "when it was answered");
      const writer = call.audio().writable.getWriter();
      const tone = toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds: 400 });
      writer.write(tone).catch(() => {});
      equal((await kit.clock.runUntil(call.ended)).q850Cause, 31);
      kit.hears(call).assertSpoken({ fromMs: 20, toMs: 380, levelDb: -15 });
      kit.hears(call).assertSilent({ fromMs: 500, toMs: 1_500 });
    },
  },
];
