import { deepStrictEqual as same, ok, strictEqual as equal } from "node:assert/strict";
import { openFirefoxStage } from "./support/firefox_stage.ts";
import { assertFails, hears, type Level, type Outcome, type Stats } from "./support/page_checks.ts";
import { until } from "./support/wait.ts";

Deno.test("Firefox: the microphone is heard at the far end and comes back", async (t) => {
  await using stage = await openFirefoxStage();

  await t.step("openAudio() runs at 48 kHz", async () => {
    const { value } = await stage.call<Outcome>("open", {});
    equal((value as { sampleRate: number }).sampleRate, 48_000);
    await until(() => stage.call("state"), (state) => state === "running");
  });

  await t.step("connect() carries both directions", async () => {
    await stage.call("dial");
    await hears(stage, true);
    await until(() => stage.call<Stats>("stats"), ({ playedMs }) => playedMs > 1_000);
    const { lost, received } = await stage.call<{ lost: number; received: number }>("clientStats");
    equal(lost, 0);
    ok(received > 50, `${received} frames`);
  });

  await t.step("setMuted() sends silence, and with release frees the device", async () => {
    await stage.call("setMuted", [true, false]);
    await hears(stage, false);
    equal((await stage.call<Level>("level")).input, 0);
    same(await stage.call("tracks"), ["live"]);
    await stage.call("setMuted", [true, true]);
    same(await stage.call("tracks"), ["ended"]);
    await stage.call("setMuted", [false, false]);
    await hears(stage, true);
    same(await stage.call("tracks"), ["ended", "live"]);
  });

  await t.step("setMicrophone() keeps the old one when it is refused", async () => {
    await assertFails(
      stage.call("setMicrophone", "gone"),
      "ERR_MICROPHONE_UNAVAILABLE",
      /no microphone has the id "gone": choose one that devices\(\) lists/,
    );
    equal((await stage.call<string[]>("tracks")).at(-1), "live");
    await hears(stage, true);
  });

  await t.step(
    "a microphone that gives nothing any more is reported, and another replaces it",
    async () => {
      await stage.call("events");
      // Firefox hands no `ended` of a test's own to the listeners of a track.
      await stage.call("lose");
      const isSilent = ({ type, change }: { type: string; change?: string }) =>
        type === "microphone" && change === "silent";
      await until(
        () => stage.call<{ type: string; change?: string }[]>("events"),
        (events) => events.some(isSilent),
      );
      same(await stage.call("setMicrophone"), { value: undefined });
      await hears(stage, true);
    },
  );

  await t.step("clear() drops what waits and says what was heard", async () => {
    const { value } = await stage.call<{ value: { playedMs: number } }>("clear");
    ok(value.playedMs > 0);
  });

  await t.step("close() lets the microphone go", async () => {
    await stage.call("hangUp");
    same(await stage.call("close"), { value: undefined });
    equal(await stage.call("state"), "closed");
    equal((await stage.call<string[]>("tracks")).includes("live"), false);
  });
});

Deno.test("Firefox: a denied microphone is reported, and does not stop playback", async () => {
  await using stage = await openFirefoxStage({ permission: "denied" });
  await assertFails(stage.call("open", {}), "ERR_MICROPHONE_DENIED", /microphone/);
  const { value } = await stage.call<Outcome>("open", { microphone: false });
  ok(value !== undefined);
  // Plays a tone.
  await stage.call("dial", { to: "+15550106" });
  await hears(stage, true);
});
