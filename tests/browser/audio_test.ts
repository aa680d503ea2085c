import { deepStrictEqual as same, ok, strictEqual as equal } from "node:assert/strict";
import { assertFails, hears, type Level, type Stats } from "./support/page_checks.ts";
import { openRawPage } from "./support/raw_page.ts";
import { openStage } from "./support/stage.ts";
import { until } from "./support/wait.ts";

Deno.test("the microphone is heard at the far end and comes back, through every change of it", async (t) => {
  await using stage = await openStage();
  const events = (): Promise<readonly { type: string; change?: string; state?: string }[]> =>
    stage.call("events");

  await t.step("openAudio() runs at 48 kHz", async () => {
    same(await stage.call("open", {}), { value: { state: "running", sampleRate: 48_000 } });
  });

  await t.step("connect() carries both directions", async () => {
    await stage.call("dial");
    await hears(stage, true);
    const { capturedMs, playedMs } = await stage.call<Stats>("stats");
    ok(capturedMs > 0 && playedMs > 0);
  });

  await t.step("connect() of the same call again is the same connection", async () => {
    equal(await stage.call("connectTwice"), true);
  });

  await t.step("setMuted() sends silence, not nothing", async () => {
    await stage.call("setMuted", [true, false]);
    await hears(stage, false);
    equal(await stage.call("muted"), true);
    equal((await stage.call<Level>("level")).input, 0);
    const before = await stage.call<Stats>("stats");
    await until(
      () => stage.call<Stats>("stats"),
      ({ capturedMs }) => capturedMs > before.capturedMs + 200,
    );
    same(await stage.call("tracks"), ["live"]);
    await stage.call("setMuted", [false, false]);
    await hears(stage, true);
  });

  await t.step("setMuted() with release frees the device and takes it again", async () => {
    await stage.call("setMuted", [true, true]);
    same(await stage.call("tracks"), ["ended"]);
    await hears(stage, false);
    await stage.call("setMuted", [false, false]);
    await hears(stage, true);
    same(await stage.call("tracks"), ["ended", "live"]);
  });

  await t.step(
    "setMicrophone() changes the device and keeps the old one when it is refused",
    async () => {
      const { microphones } = await stage.call<{ microphones: { id: string }[] }>("devices");
      const other = microphones.find(({ id }) => id !== "default")!;
      await events();
      same(await stage.call("setMicrophone", other.id), { value: undefined });
      same(await events(), [{ type: "microphone", change: "switched" }]);
      await assertFails(
        stage.call("setMicrophone", "gone"),
        "ERR_MICROPHONE_UNAVAILABLE",
        /no microphone has the id "gone": choose one that devices\(\) lists/,
      );
      same((await stage.call<string[]>("tracks")).at(-1), "live");
      await hears(stage, true);
    },
  );

  await t.step("a microphone that is removed is replaced by the default", async () => {
    await events();
    await stage.call("lose");
    const seen: unknown[] = [];
    await until(async () => {
      // Where the machine is busy there are underruns in between.
      seen.push(...(await events()).filter(({ type }) => type === "microphone"));
      return seen;
    }, (all) => all.length >= 2);
    same(seen.slice(0, 2), [
      { type: "microphone", change: "lost" },
      { type: "microphone", change: "back" },
    ]);
    await hears(stage, true);
  });

  await t.step("setSpeaker() refuses a device that is not there", async () => {
    await assertFails(
      stage.call("setSpeaker", "gone"),
      "ERR_AUDIO_UNAVAILABLE",
      /no loudspeaker has the id "gone"/,
    );
    same(await stage.call("setSpeaker"), { value: undefined });
  });

  await t.step("clear() drops what waits and says what was heard", async () => {
    const { value } = await stage.call<{ value: { playedMs: number } }>("clear");
    ok(value.playedMs > 0);
  });

  await t.step("a call that is disconnected can be connected again at once", async () => {
    same(await stage.call("reconnect"), { value: undefined });
    const { playedMs } = await stage.call<Stats>("stats");
    await until(() => stage.call<Stats>("stats"), (now) => now.playedMs > playedMs + 300);
  });

  await t.step(
    "another call takes the place of the first, which goes on until it is hung up",
    async () => {
      await stage.call("dialAnother");
      await hears(stage, true);
    },
  );

  await t.step("the connection ends with its call, which cannot be connected again", async () => {
    await stage.call("hangUp");
    await assertFails(stage.call("connect"), "ERR_CALL_ENDED", /the call has ended/);
    await hears(stage, false);
  });

  await t.step("close() frees the devices, and everything after it is refused", async () => {
    same(await stage.call("close"), { value: undefined });
    equal(await stage.call("state"), "closed");
    ok((await stage.call<string[]>("tracks")).every((state) => state === "ended"));
    for (const [name, argument] of [["setMicrophone", undefined], ["resume", undefined]]) {
      await assertFails(stage.call(name!, argument), "ERR_AUDIO_UNAVAILABLE", /it was closed/);
    }
    await stage.call("closeClient");
  });
});

Deno.test("openAudio() that is given up and called again has one microphone", async () => {
  await using stage = await openStage();
  same(await stage.call("abortedOpen"), { value: undefined });
  const states = await stage.call<string[]>("tracks");
  equal(states.filter((state) => state === "live").length, 1);
});

Deno.test("openAudio() without permission names it, and listening still works", async () => {
  await using stage = await openStage({ permission: "denied" });
  await assertFails(
    stage.call("open", {}),
    "ERR_MICROPHONE_DENIED",
    /permission was denied: allow the microphone/,
  );
  await stage.call("open", { microphone: false });
  await stage.page.click("#go");
  same(await stage.call("resume"), { value: undefined });
  await stage.call("dial", { to: "+15550106" });
  await hears(stage, true);
});

Deno.test("openAudio() without a microphone names it", async () => {
  await using stage = await openStage({ hasMicrophone: false });
  await assertFails(
    stage.call("open", {}),
    "ERR_MICROPHONE_UNAVAILABLE",
    /no microphone was found: connect one, or pass microphone: false/,
  );
});

Deno.test("openAudio() with an unknown device names it", async () => {
  await using stage = await openStage();
  await assertFails(
    stage.call("open", { microphone: { deviceId: "gone" } }),
    "ERR_MICROPHONE_UNAVAILABLE",
    /no microphone has the id "gone"/,
  );
  await assertFails(
    stage.call("open", { speaker: { deviceId: "gone" } }),
    "ERR_AUDIO_UNAVAILABLE",
    /no loudspeaker has the id "gone"/,
  );
  ok((await stage.call<string[]>("tracks")).every((state) => state === "ended"));
});

Deno.test("openAudio() outside of a click waits for one", async () => {
  await using page = await openRawPage();
  same(await page.call("open", { microphone: false }), {
    value: { state: "needs-gesture", sampleRate: 48_000 },
  });
  await assertFails(page.call("resume"), "ERR_AUDIO_UNAVAILABLE", /call resume\(\) in a click/);
  await page.click();
  await page.call("resume");
  equal(await page.call("state"), "running");
  same(await page.call("events"), [{ type: "state", state: "running" }]);
});

Deno.test("openAudio() in a page that is not a secure context says so", async () => {
  await using stage = await openStage({
    flags: ["--host-resolver-rules=MAP page.test 127.0.0.1"],
    address: (url) => url.replace("127.0.0.1", "page.test"),
  });
  await assertFails(
    stage.call("open", {}),
    "ERR_AUDIO_UNAVAILABLE",
    /the page is not a secure context: serve it over https:/,
  );
});

Deno.test("openAudio() under Content Security Policies", async (t) => {
  const connects = "connect-src 'self' https://127.0.0.1:*";

  await t.step("strict: it says what to do, and the file works", async () => {
    const policy = `default-src 'none'; script-src 'self'; ${connects}`;
    await using stage = await openStage({ headers: { "content-security-policy": policy } });
    await assertFails(
      stage.call("open", {}),
      "ERR_AUDIO_UNAVAILABLE",
      /serve the file @telequick\/sdk\/browser\/worklet.js and pass its address as workletUrl, or add blob: to script-src/,
    );
    await assertFails(
      stage.call("open", { workletUrl: "/missing.js" }),
      "ERR_AUDIO_UNAVAILABLE",
      /the worklet at \/missing.js could not be loaded/,
    );
    await stage.call("open", { workletUrl: "/worklet.js" });
    await stage.call("dial");
    await hears(stage, true);
  });

  for (const source of ["blob:", "data:"]) {
    await t.step(`script-src with ${source}`, async () => {
      const policy = `default-src 'none'; script-src 'self' ${source}; ${connects}`;
      await using stage = await openStage({ headers: { "content-security-policy": policy } });
      same(await stage.call("open", {}), { value: { state: "running", sampleRate: 48_000 } });
    });
  }
});

Deno.test("openAudio() and close(), 100 times, keep nothing", async () => {
  await using stage = await openStage();
  const session = await stage.page.context().newCDPSession(stage.page);
  await session.send("Performance.enable");
  const count = async (): Promise<Record<string, number>> => {
    await stage.page.requestGC();
    const { metrics } = await session.send("Performance.getMetrics");
    const wanted = ["AudioHandlers", "AudioWorkletProcessors", "UACSSResources"];
    return Object.fromEntries(
      metrics.filter(({ name }) => wanted.includes(name)).map(({ name, value }) => [name, value]),
    );
  };
  await stage.call("cycle", 10);
  const before = await count();
  await stage.call("cycle", 100);
  const after = await until(count, (now) => now["AudioHandlers"]! <= before["AudioHandlers"]!);
  same(after, before);
  ok((await stage.call<string[]>("tracks")).every((state) => state === "ended"));
});
