// bun test
import { expect, test } from "bun:test";
import { toneSamples } from "@telequick/sdk/audio";
import { testGateway } from "@telequick/sdk/testing";

test("the far end hears the agent", async () => {
  await using kit = await testGateway({ clock: "fake" });
  const call = await kit.client.dial({ to: "+15550100", trunkId: kit.trunkId });
  await kit.clock.runUntil(call.answered());
  const writer = call.audio().writable.getWriter();
  const tone = toneSamples({ frequencyHz: 440, sampleRate: 8000, milliseconds: 400 });
  await kit.clock.runUntil(writer.write(tone));
  await kit.clock.advance(500);
  expect(kit.hears(call).samples.length).toBe(tone.length);
  kit.hears(call).assertSpoken({ fromMs: 20, toMs: 380, levelDb: -20 });
});
