import { deepStrictEqual as same, ok, rejects, strictEqual as equal } from "node:assert/strict";
import type { BrowserAudioEvent } from "../../../src/browser/browser_audio.ts";
import { LiveAudio } from "../../../src/browser/live_audio.ts";
import type { OpenAudioOptions } from "../../../src/browser/options.ts";
import { FakeClock, settle } from "../../../src/testing/mod.ts";
import { FakeContext, FakePage, FakeTrack } from "./support/fake_page.ts";

interface Opened {
  readonly audio: LiveAudio;
  readonly clock: FakeClock;
  /** What has happened since it was last asked. */
  readonly events: () => Promise<BrowserAudioEvent[]>;
}

async function open(page: FakePage, options: OpenAudioOptions = {}): Promise<Opened> {
  const clock = new FakeClock();
  const audio = new LiveAudio(page.globals, options, clock);
  const seen: BrowserAudioEvent[] = [];
  void (async () => {
    for await (const event of audio.events()) seen.push(event);
  })();
  const opening = audio.open();
  opening.catch(() => {});
  await settle();
  await clock.advance(1_000);
  await opening;
  await settle();
  seen.splice(0);
  return {
    audio,
    clock,
    async events() {
      await settle();
      return seen.splice(0);
    },
  };
}

function named(name: string, message = ""): DOMException {
  return new DOMException(message, name);
}

Deno.test("a context that starts by itself is running, and joined from the microphone to the loudspeaker", async () => {
  const page = new FakePage();
  const { audio } = await open(page);
  equal(audio.state, "running");
  const [context] = page.contexts;
  const [node] = page.nodes;
  equal(context!.sampleRate, 48_000);
  ok(context!.sources[0]!.to.has(node!));
  ok([...node!.to][0] !== undefined);
  await audio.close();
  equal(audio.state, "closed");
  equal(context!.state, "closed");
  same(page.tracks.map(({ readyState }) => readyState), ["ended"]);
  equal(page.media.listeners + page.document.listeners + context!.listeners, 0);
});

Deno.test("a context that needs a click says so, and starts in one", async () => {
  const page = new FakePage();
  page.startsByItself = false;
  page.mayResume = false;
  const { audio, clock, events } = await open(page);
  equal(audio.state, "needs-gesture");
  const refused = rejects(audio.resume(), { code: "ERR_AUDIO_UNAVAILABLE", message: /in a click/ });
  await clock.advance(1_000);
  await refused;
  page.mayResume = true;
  await audio.resume();
  same(await events(), [{ type: "state", state: "running" }]);
  await audio.close();
});

Deno.test("an interruption is waited out, and a context is resumed from suspended only", async () => {
  const page = new FakePage();
  const { audio, events } = await open(page);
  const [context] = page.contexts;
  const before = page.resumed;
  context!.become("interrupted");
  same(await events(), [{ type: "state", state: "interrupted" }]);
  equal(page.resumed, before);
  context!.become("suspended");
  same(await events(), [{ type: "state", state: "running" }]);
  equal(page.resumed, before + 1);
  await audio.close();
});

Deno.test("a context that cannot be resumed without a click says so after a second", async () => {
  const page = new FakePage();
  const { audio, clock, events } = await open(page);
  page.mayResume = false;
  page.contexts[0]!.become("suspended");
  await clock.advance(1_000);
  same(await events(), [
    { type: "state", state: "interrupted" },
    { type: "state", state: "needs-gesture" },
  ]);
  await audio.close();
});

Deno.test("a context whose time stands after the page was hidden is made anew, with all that the old one had", async () => {
  const page = new FakePage();
  const { audio, clock, events } = await open(page, {
    speaker: { deviceId: "headset", volume: 0.5 },
  });
  await audio.setMuted(true);
  const [before] = page.contexts;
  page.document.fire("visibilitychange");
  await settle();
  await clock.advance(1_000);
  // The old processor ends in its own time.
  await new Promise((resolve) => setTimeout(resolve, 60));
  await settle();
  equal(page.contexts.length, 2);
  equal(before!.state, "closed");
  const context = page.contexts[1]!;
  equal(audio.context, context as unknown);
  equal(context.sinkId, "headset");
  ok(context.sources[0]!.to.has(page.nodes[1]!));
  ok(page.nodes[1]!.received.some((message) => message.type === "mute" && message.isMuted));
  same(await events(), [
    { type: "state", state: "interrupted" },
    { type: "state", state: "running" },
  ]);
  equal(audio.stats().rebuilt, 1);
  await audio.close();
});

Deno.test("a context whose time goes on is kept when the page is seen again", async () => {
  const page = new FakePage();
  const { audio, clock } = await open(page);
  page.document.fire("visibilitychange");
  await settle();
  page.contexts[0]!.currentTime = 7;
  await clock.advance(1_000);
  equal(page.contexts.length, 1);
  await audio.close();
});

Deno.test("a processor that fails is made anew, and not over and over", async () => {
  const page = new FakePage();
  const { audio, clock } = await open(page);
  for (let i = 0; i < 5; i++) {
    page.nodes.at(-1)!.events.fire("processorerror");
    await settle();
  }
  equal(page.nodes.length, 2);
  await clock.advance(10_000);
  page.nodes.at(-1)!.events.fire("processorerror");
  await new Promise((resolve) => setTimeout(resolve, 60));
  equal(page.nodes.length, 3);
  await audio.close();
});

Deno.test("a microphone that is lost is replaced by the default within a second of its coming back", async () => {
  const page = new FakePage();
  const { audio, clock, events } = await open(page, { microphone: { deviceId: "headset" } });
  const all = page.devices;
  page.devices = [];
  page.tracks[0]!.end();
  same(await events(), [{ type: "microphone", change: "lost", error: undefined }]);
  await clock.advance(5_000);
  same(await events(), []);
  equal(audio.state, "running");
  page.devices = all.slice(0, 1);
  await clock.advance(1_000);
  same(await events(), [{ type: "microphone", change: "back", error: undefined }]);
  equal(page.tracks[1]!.label, "built-in");
  await audio.close();
  equal(page.tracks[1]!.readyState, "ended");
});

Deno.test("a permission that is withdrawn is asked for no more, and playback goes on", async () => {
  const page = new FakePage();
  const { audio, clock, events } = await open(page);
  page.refusals.push(named("NotAllowedError", "Permission denied"));
  page.tracks[0]!.end();
  const [lost, denied] = await events() as Extract<BrowserAudioEvent, { type: "microphone" }>[];
  equal(lost!.change, "lost");
  equal(denied!.change, "denied");
  equal(denied!.error!.code, "ERR_MICROPHONE_DENIED");
  await clock.advance(60_000);
  equal(page.tracks.length, 1);
  equal(audio.state, "running");
  await audio.setMicrophone();
  equal(page.tracks.length, 2);
  await audio.close();
});

Deno.test("a microphone that gives nothing for 1 s, or zeros for 3 s, is silent until it gives sound", async () => {
  const page = new FakePage();
  const { audio, events } = await open(page);
  const [node] = page.nodes;
  const change = async (): Promise<unknown[]> =>
    (await events()).map((event) => event.type === "microphone" && event.change);
  node!.report({ zeroMs: 2_990 });
  same(await change(), []);
  node!.report({ zeroMs: 3_000 });
  node!.report({ zeroMs: 3_020 });
  same(await change(), ["silent"]);
  node!.report();
  same(await change(), ["back"]);
  node!.report({ absentMs: 1_000, zeroMs: 1_000 });
  same(await change(), ["silent"]);
  await audio.close();
});

Deno.test("a released microphone is not silent, and is taken again with the device chosen meanwhile", async () => {
  const page = new FakePage();
  const { audio, events } = await open(page);
  await audio.setMuted(true, { release: true });
  page.nodes[0]!.report({ absentMs: 5_000, zeroMs: 5_000 });
  same(await events(), []);
  await rejects(audio.setMicrophone("gone"), { code: "ERR_MICROPHONE_UNAVAILABLE" });
  await audio.setMicrophone("headset");
  equal(page.tracks.length, 1);
  page.refusals.push(named("NotReadableError"));
  await rejects(audio.setMuted(false), { code: "ERR_MICROPHONE_UNAVAILABLE", retryable: true });
  equal(audio.muted, true);
  await audio.setMuted(false);
  equal(audio.muted, false);
  equal(page.tracks[1]!.label, "headset");
  await audio.close();
});

Deno.test("changes of the microphone that overlap are done one after another", async () => {
  const page = new FakePage();
  const { audio } = await open(page);
  await Promise.all([
    audio.setMuted(true, { release: true }),
    audio.setMuted(false),
    audio.setMicrophone("headset"),
    audio.setMuted(true, { release: true }),
    audio.setMuted(false),
  ]);
  equal(page.tracks.filter(({ readyState }) => readyState === "live").length, 1);
  equal(page.tracks.at(-1)!.label, "headset");
  await audio.close();
});

Deno.test("a loudspeaker that is removed is replaced by the default", async () => {
  const page = new FakePage();
  const { audio, events } = await open(page, { speaker: { deviceId: "headset" } });
  page.devices = page.devices.filter(({ deviceId }) => deviceId !== "headset");
  page.media.fire("devicechange");
  same(await events(), [{ type: "devices" }, { type: "speaker", change: "lost" }]);
  equal(page.contexts[0]!.sinkId, "");
  page.media.fire("devicechange");
  same(await events(), [{ type: "devices" }]);
  await audio.close();
});

Deno.test("a browser that refuses 48 kHz, or a microphone at it, gets the device's own rate", async () => {
  const refuses = new FakePage();
  refuses.refusedRates = [48_000];
  const first = await open(refuses);
  equal(first.audio.context.sampleRate, 44_100);
  await first.audio.close();
  const differs = new FakePage();
  differs.onlyRate = 44_100;
  const second = await open(differs);
  equal(second.audio.context.sampleRate, 44_100);
  equal(differs.contexts[0]!.state, "closed");
  equal(differs.contexts[1]!.sources.length, 1);
  await second.audio.close();
  const fast = new FakePage();
  Object.assign(fast, { refusedRates: [48_000], deviceRate: 96_000 });
  await rejects(open(fast), { code: "ERR_AUDIO_UNAVAILABLE", message: /runs at 96000 Hz/ });
  equal(fast.contexts[0]!.state, "closed");
});

Deno.test("the worklet comes from Blob, else from data:, else it is said what to do", async () => {
  const page = new FakePage();
  page.forbidden = ["blob:"];
  const { audio } = await open(page);
  same(page.contexts[0]!.modules.map((url) => url.slice(0, 5)), ["blob:", "data:"]);
  await audio.close();
  page.forbidden = ["blob:", "data:"];
  await rejects(open(page), {
    code: "ERR_AUDIO_UNAVAILABLE",
    message: /add blob: to script-src/,
  });
  equal(page.contexts[1]!.state, "closed");
  const own = await open(page, { workletUrl: new URL("https://app.example/worklet.js") });
  same(page.contexts[2]!.modules, ["https://app.example/worklet.js"]);
  await own.audio.close();
});

Deno.test("a context of the page's own is neither resumed nor closed, and ends the audio when the page closes it", async () => {
  const page = new FakePage();
  const context = new FakeContext(page, 44_100);
  const { audio } = await open(page, { context });
  page.mayResume = false;
  const before = page.resumed;
  context.become("suspended");
  equal(audio.state, "needs-gesture");
  equal(page.resumed, before);
  await audio.close();
  equal(context.state, "suspended");
  const again = await open(page, { context: new FakeContext(page, 48_000) });
  (again.audio.context as unknown as FakeContext).become("closed");
  await settle();
  equal(again.audio.state, "closed");
});

Deno.test("a track of the page's own is used, never stopped, and not replaced when it ends", async () => {
  const page = new FakePage();
  const track = new FakeTrack("own");
  const { audio, clock, events } = await open(page, { microphone: track });
  await audio.setMuted(true, { release: true });
  equal(track.readyState, "live");
  track.end();
  await clock.advance(5_000);
  same(await events(), [{ type: "microphone", change: "lost", error: undefined }]);
  equal(page.tracks.length, 0);
  await audio.close();
});

Deno.test("what the processor counts is reported, and underruns are events", async () => {
  const page = new FakePage();
  const { audio, events } = await open(page);
  page.nodes[0]!.report({
    input: 0.25,
    output: 0.5,
    captured: 100,
    dropped: 3,
    underruns: [31.4],
    playback: {
      ...{ playedMs: 900, underruns: 1, underrunMs: 31.4, skippedMs: 5 },
      ...{ bufferedMs: 40, slackMs: 50 },
    },
  });
  same(await events(), [{ type: "underrun", ms: 31 }]);
  same(audio.level(), { input: 0.25, output: 0.5 });
  const { capturedMs, capturedDroppedMs, playedMs, underruns, slackMs } = audio.stats();
  same({ capturedMs, capturedDroppedMs, playedMs, underruns, slackMs }, {
    ...{ capturedMs: 1_000, capturedDroppedMs: 30, playedMs: 900, underruns: 1, slackMs: 50 },
  });
  same(page.nodes[0]!.received.at(-1), { type: "read" });
  await audio.close();
});

Deno.test("stats() reports what the browser and the device add", async () => {
  const page = new FakePage();
  const { audio } = await open(page);
  equal(audio.stats().outputLatencyMs, 25);
  await audio.close();
});

Deno.test("stats() does not ask Firefox what the device adds: the question can hang its page", async () => {
  const page = new FakePage();
  page.userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
  const { audio } = await open(page);
  equal(audio.stats().outputLatencyMs, 5);
  equal(page.contexts[0]!.latencyReads, 0);
  await audio.close();
});

Deno.test("audio.clock runs its waits when the processor speaks, also where timers are held back", async () => {
  const page = new FakePage();
  const { audio, clock } = await open(page);
  let ran = 0;
  audio.clock.schedule(20, () => ran++);
  clock.suspend(25);
  equal(ran, 0);
  page.nodes[0]!.report();
  equal(ran, 1);
  await audio.close();
});
