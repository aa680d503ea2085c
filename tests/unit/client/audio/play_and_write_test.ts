import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import type { AudioLink, AudioOptions, Call } from "../../../../mod.ts";
import { type ClientSetup, clientSetup, hasCode } from "../../../support/client_kit.ts";

const FRAME_BYTES = 160;

/** So many frames of one value. */
const sound = (value: number, frames: number): Uint8Array =>
  new Uint8Array(frames * FRAME_BYTES).fill(value);

async function answered({ client, setup }: ClientSetup): Promise<Call> {
  const call = await client.dial({ to: "+15550100", trunkId: "main" });
  await setup.clock.advance(250);
  await call.answered();
  return call;
}

/** What the far end echoes, as pairs of a value and how many frames of it came one after another. */
function listen(link: AudioLink): [value: number, frames: number][] {
  const heard: [number, number][] = [];
  void (async () => {
    for await (const { payload } of link.readable) {
      if (payload.length === 0) continue;
      const last = heard.at(-1);
      if (last?.[0] === payload[0]) last![1]++;
      else heard.push([payload[0]!, 1]);
    }
  })().catch(() => {});
  return heard;
}

describe("Audio that is written and played on one link", () => {
  for (const leadMs of [20, 200, 2_000]) {
    it(`is heard in the order of the calls, with a lead of ${leadMs} ms`, async () => {
      await using story = await clientSetup();
      const call = await answered(story);
      const link = call.audio({ leadMs });
      const heard = listen(link);
      const writer = link.writable.getWriter();
      void writer.write(sound(1, 10));
      void writer.write(sound(2, 10));
      const third = link.play(sound(3, 10));
      void writer.write(sound(4, 10));
      const fifth = link.play(sound(5, 10));
      const sixth = link.play(sound(6, 10));
      void writer.write(sound(7, 10));
      await story.setup.clock.advance(100);
      void writer.write(sound(8, 10));
      await story.setup.clock.advance(3_000);
      assert.deepEqual(heard, [1, 2, 3, 4, 5, 6, 7, 8].map((value) => [value, 10]));
      for (const playback of [third, fifth, sixth]) {
        const whole = { playedMs: 200, durationMs: 200, interrupted: false };
        assert.deepEqual(await playback.finished, whole);
      }
      await call.hangUp();
    });
  }

  it("is what clear() counts, also what had not begun", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const writer = link.writable.getWriter();
    void writer.write(sound(1, 50));
    const playback = link.play(sound(2, 25));
    link.play(sound(3, 25)).stop();
    await story.setup.clock.advance(300);
    const clearing = link.clear();
    await story.setup.clock.advance(100);
    const { playedMs, durationMs, interrupted } = await clearing;
    assert.ok(playedMs >= 260 && playedMs <= 300, `${playedMs} ms`);
    assert.deepEqual({ durationMs, interrupted }, { durationMs: 1_500, interrupted: true });
    const cut = { playedMs: 0, durationMs: 500, interrupted: true };
    assert.deepEqual(await playback.finished, cut);
    await call.hangUp();
  });

  it("goes on with the playback when a chunk before it is refused", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const heard = listen(link);
    const writer = link.writable.getWriter();
    const refused = writer.write("no audio" as unknown as Uint8Array).catch((error) => error);
    const playback = link.play(sound(2, 5));
    await story.setup.clock.advance(500);
    assert.ok(await refused instanceof TypeError);
    assert.equal((await playback.finished).interrupted, false);
    assert.deepEqual(heard, [[2, 5]]);
    await call.hangUp();
  });

  it("goes on with the playback when a chunk was written right after one that was refused", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const heard = listen(link);
    const writer = link.writable.getWriter();
    await story.setup.clock.advance(20);
    const refused = writer.write("no audio" as unknown as Uint8Array).catch((error) => error);
    writer.write(sound(1, 5)).catch(() => {});
    const playback = link.play(sound(2, 5));
    await story.setup.clock.advance(500);
    assert.ok(await refused instanceof TypeError);
    assert.equal((await playback.finished).interrupted, false);
    assert.deepEqual(heard, [[2, 5]]);
    const closing = link.close();
    await story.setup.clock.advance(500);
    await closing;
    await call.hangUp();
  });

  it("begins a playback with a frame of its own, and cuts nothing of what was written", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const frames: string[] = [];
    void (async () => {
      for await (const { payload } of link.readable) {
        if (payload.length > 0) frames.push([...new Set(payload)].join(" "));
      }
    })().catch(() => {});
    void link.writable.getWriter().write(new Uint8Array(260).fill(1));
    const playback = link.play(new Uint8Array(400).fill(2));
    await story.setup.clock.advance(0);
    playback.stop();
    const next = link.play(sound(3, 2));
    await story.setup.clock.advance(500);
    assert.deepEqual(frames, ["1", "1 255", "3", "3"]);
    assert.equal((await next.finished).interrupted, false);
    await call.hangUp();
  });

  for (const end of ["close", "abort"] as const) {
    it(`ends a playback that was handed over with the writer's ${end}()`, async () => {
      await using story = await clientSetup();
      const call = await answered(story);
      const link = call.audio();
      const heard = listen(link);
      const playback = link.play(sound(2, 9));
      await story.setup.clock.advance(60);
      void link.writable.getWriter()[end]().catch(() => {});
      await story.setup.clock.advance(500);
      const { playedMs, durationMs, interrupted } = await playback.finished;
      assert.deepEqual([durationMs, interrupted], [180, end === "abort"]);
      assert.deepEqual(heard, [[2, end === "close" ? 9 : 4]]);
      assert.ok(end === "close" ? playedMs === 180 : playedMs < 100, `${playedMs} ms`);
      await call.hangUp();
    });

    it(`is not played after the writer's ${end}(), and says so`, async () => {
      await using story = await clientSetup();
      const call = await answered(story);
      const link = call.audio();
      const heard = listen(link);
      const writer = link.writable.getWriter();
      void writer.write(sound(1, 3));
      await story.setup.clock.advance(200);
      void writer[end]().catch(() => {});
      await story.setup.clock.advance(200);
      const playback = link.play(sound(2, 20));
      await story.setup.clock.advance(1_000);
      const unheard = { playedMs: 0, durationMs: 400, interrupted: true };
      assert.deepEqual(await playback.finished, unheard);
      assert.deepEqual(heard, [[1, 3]]);
      await call.hangUp();
    });
  }

  it("is what clear() counts, also a chunk that waits for a playback, and a playback of the same turn", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    link.play(sound(1, 50));
    void link.writable.getWriter().write(sound(2, 50));
    await story.setup.clock.advance(100);
    const first = link.clear();
    await story.setup.clock.advance(100);
    assert.equal((await first).durationMs, 2_000);
    const playback = link.play(sound(3, 100));
    const second = link.clear();
    await story.setup.clock.advance(100);
    const unheard = { playedMs: 0, durationMs: 2_000, interrupted: true };
    assert.deepEqual(await second, unheard);
    assert.deepEqual(await playback.finished, unheard);
    await call.hangUp();
  });

  it("rejects no write unhandled that was not awaited, when the call hangs up", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      for (const isPlaying of [false, true]) {
        await using story = await clientSetup();
        const call = await answered(story);
        const link = call.audio();
        if (isPlaying) link.play(sound(9, 100));
        const writer = link.writable.getWriter();
        for (const value of [1, 2, 3]) writer.write(sound(value, 100));
        await story.setup.clock.advance(500);
        await call.hangUp();
        await story.setup.clock.advance(500);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    } finally {
      process.off("unhandledRejection", note);
    }
    assert.deepEqual(unhandled, []);
  });

  it("rejects a write whose sound a hang-up cut, and one that waited for a playback", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const writer = link.writable.getWriter();
    const cut = writer.write(sound(1, 100));
    await story.setup.clock.advance(500);
    const other = await answered(story);
    const otherLink = other.audio();
    const playback = otherLink.play(sound(2, 100));
    const behind = otherLink.writable.getWriter().write(sound(3, 5));
    await story.setup.clock.advance(500);
    const ends = Promise.all([call.hangUp(), other.hangUp()]);
    await story.setup.clock.advance(500);
    await ends;
    await assert.rejects(cut, hasCode("ERR_CALL_ENDED"));
    await assert.rejects(behind, hasCode("ERR_CALL_ENDED"));
    assert.equal((await playback.finished).interrupted, true);
  });

  it("is not interrupted by a close() that plays it out", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const playbacks = [link.play(sound(1, 50)), link.play(sound(2, 10))];
    await story.setup.clock.advance(100);
    const closing = link.close();
    await story.setup.clock.advance(2_000);
    await closing;
    const ends = await Promise.all(playbacks.map(({ finished }) => finished));
    assert.deepEqual(ends.map(({ interrupted }) => interrupted), [false, false]);
    assert.deepEqual(ends.map(({ playedMs }) => playedMs), [1_000, 200]);
    await call.hangUp();
  });

  it("has its whole duration as soon as its source has given it", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const [first, second] = [link.play(sound(1, 100)), link.play(sound(2, 50))];
    const chunks = link.play((async function* () {
      yield sound(3, 50);
      yield sound(4, 50);
    })());
    await story.setup.clock.advance(500);
    assert.ok(first.queuedMs >= 1_500 && first.queuedMs <= 1_540, `${first.queuedMs} ms`);
    assert.equal(second.queuedMs, 1_000);
    assert.equal(chunks.queuedMs, 0);
    assert.equal(first.stop().durationMs, 2_000);
    await story.setup.clock.advance(1_200);
    assert.ok(chunks.queuedMs > 700, `${chunks.queuedMs} ms of the first chunk`);
    assert.equal(chunks.stop().durationMs, 1_000);
    assert.equal((await second.finished).interrupted, false);
    await call.hangUp();
  });
});

describe("The audio of many calls", () => {
  it("adds no more listeners to one AbortSignal than Node takes without a warning", async () => {
    await using story = await clientSetup();
    const calls = [];
    for (let i = 0; i < 20; i++) calls.push(await answered(story));
    const { addEventListener, removeEventListener } = AbortSignal.prototype;
    const listening = new Map<AbortSignal, number>();
    let most = 0;
    const count = (signal: AbortSignal, more: number): void => {
      listening.set(signal, (listening.get(signal) ?? 0) + more);
      most = Math.max(most, listening.get(signal)!);
    };
    AbortSignal.prototype.addEventListener = function (...args: unknown[]) {
      count(this, 1);
      return addEventListener.apply(this, args as Parameters<typeof addEventListener>);
    };
    AbortSignal.prototype.removeEventListener = function (...args: unknown[]) {
      count(this, -1);
      return removeEventListener.apply(this, args as Parameters<typeof removeEventListener>);
    };
    try {
      const playbacks = calls.map((call) => call.audio().play(sound(1, 5)).finished);
      await story.setup.clock.advance(500);
      await Promise.all(playbacks);
    } finally {
      Object.assign(AbortSignal.prototype, { addEventListener, removeEventListener });
    }
    assert.ok(most <= 10, `${most} listeners`);
    const ends = Promise.all(calls.map((call) => call.hangUp()));
    await story.setup.clock.advance(500);
    await ends;
  });
});

describe("call.audio()", () => {
  it("refuses options of another type, such as text of the environment, by their type", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const wrong: Record<string, unknown> = {
      ...{ sampleRate: "16000", leadMs: "200", jitterBufferMs: "60", receiveCapacity: "10" },
      earlyMedia: "no",
    };
    for (const [name, value] of Object.entries(wrong)) {
      assert.throws(
        () => call.audio({ [name]: value } as AudioOptions),
        new RegExp(`^TypeError: Cannot open the audio of the call: ${name} is a string, expected `),
      );
    }
    await call.hangUp();
  });
});
