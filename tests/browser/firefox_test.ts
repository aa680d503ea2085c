import { deepStrictEqual as same, ok, strictEqual as equal } from "node:assert/strict";
import { inFirefox } from "./support/firefox_stage.ts";
import { assertFails, hears, type Level, type Outcome, type Stats } from "./support/page_checks.ts";
import { until } from "./support/wait.ts";

interface Received {
  readonly lost: number;
  readonly received: number;
}

interface MicrophoneEvent {
  readonly type: string;
  readonly change?: string;
}

Deno.test("Firefox: the microphone is heard at the far end and comes back", () =>
  inFirefox(async (page) => {
    const { value } = await page.call<Outcome>("open", {});
    equal((value as { sampleRate: number }).sampleRate, 48_000);
    await until(() => page.call("state"), (state) => state === "running");

    // connect() carries both directions.
    await page.call("dial");
    await hears(page, true);
    await until(() => page.call<Stats>("stats"), ({ playedMs }) => playedMs > 1_000);
    equal((await page.call<Stats>("stats")).outputLatencyMs, 0);
    const { lost, received } = await page.call<Received>("clientStats");
    equal(lost, 0);
    ok(received > 50, `${received} frames`);

    // setMuted() sends silence, and with release frees the device.
    await page.call("setMuted", [true, false]);
    await hears(page, false);
    equal((await page.call<Level>("level")).input, 0);
    same(await page.call("tracks"), ["live"]);
    await page.call("setMuted", [true, true]);
    same(await page.call("tracks"), ["ended"]);
    await page.call("setMuted", [false, false]);
    await hears(page, true);
    same(await page.call("tracks"), ["ended", "live"]);

    // setMicrophone() keeps the old one when it is refused.
    await assertFails(
      page.call("setMicrophone", "gone"),
      "ERR_MICROPHONE_UNAVAILABLE",
      /no microphone has the id "gone": choose one that devices\(\) lists/,
    );
    equal((await page.call<string[]>("tracks")).at(-1), "live");
    await hears(page, true);

    // A microphone that gives nothing any more is reported, and another replaces it. Firefox hands no `ended` of a test's own to the
    // listeners of a track.
    await page.call("events");
    await page.call("lose");
    await until(
      () => page.call<MicrophoneEvent[]>("events"),
      (events) => events.some(({ change }) => change === "silent"),
    );
    same(await page.call("setMicrophone"), { value: undefined });
    await hears(page, true);

    // clear() drops what waits and returns what was heard.
    const cleared = await page.call<{ value: { playedMs: number } }>("clear");
    ok(cleared.value.playedMs > 0);

    // close() lets the microphone go.
    await page.call("hangUp");
    same(await page.call("close"), { value: undefined });
    equal(await page.call("state"), "closed");
    equal((await page.call<string[]>("tracks")).includes("live"), false);
  }));

Deno.test("Firefox: a denied microphone is reported, and does not stop playback", () =>
  inFirefox(async (page) => {
    await assertFails(page.call("open", {}), "ERR_MICROPHONE_DENIED", /microphone/);
    const { value } = await page.call<Outcome>("open", { microphone: false });
    ok(value !== undefined);
    // Plays a tone.
    await page.call("dial", { to: "+15550106" });
    await hears(page, true);
  }, { permission: "denied" }));
