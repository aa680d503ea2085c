import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AudioOptions, Call } from "../../../../mod.ts";
import { audioPort } from "../../../../src/client/mod.ts";
import { type ClientSetup, clientSetup, hasCode } from "../../../support/client_kit.ts";
import { find, Hearing, noise } from "../../../support/hearing.ts";

interface Story extends AsyncDisposable {
  readonly setup: ClientSetup["setup"];
  readonly client: ClientSetup["client"];
  readonly call: Call;
  readonly hearing: Hearing;
}

/** A call whose far end listens. It answers after `ringMs`; the story begins after that, unless `isAnswered` is off. */
async function story(
  options: { readonly ringMs?: number; readonly isAnswered?: boolean } = {},
): Promise<Story> {
  const { ringMs = 200, isAnswered = true } = options;
  const hearing = new Hearing();
  const { setup, client, ...rest } = await clientSetup({
    gateway: { farEnd: () => hearing.phone(ringMs) },
  });
  const call = await client.dial({ to: "+15550142", trunkId: "main" });
  if (isAnswered) {
    await setup.clock.advance(ringMs + 50);
    await call.answered();
  }
  return { setup, client, call, hearing, [Symbol.asyncDispose]: rest[Symbol.asyncDispose] };
}

/** Asserts that something is heard, without a gap, where it is expected. */
function isHeard(
  said: Int16Array,
  heard: Int16Array,
  where: { readonly atMs?: number; readonly withinMs?: number } = {},
): void {
  const { atMs, correlation } = find(said, heard);
  assert.ok(correlation > 0.97, `correlation ${correlation.toFixed(3)} at ${atMs} ms`);
  if (where.atMs === undefined) return;
  const { withinMs = 1 } = where;
  assert.ok(Math.abs(atMs - where.atMs) <= withinMs, `heard at ${atMs} ms, not ${where.atMs}`);
}

/** Writes a live source's chunks of 20 ms, each when it is made, until `ms` have passed. Stalls the process once. */
async function speakLive(
  { setup, call }: Story,
  said: Int16Array,
  options: AudioOptions & { readonly stallAtMs: number; readonly stallMs: number },
): Promise<void> {
  const { stallAtMs, stallMs, ...rest } = options;
  const writer = call.audio(rest).writable.getWriter();
  for (let ms = 0; ms < said.length / 8; ms += 20) {
    if (ms === stallAtMs) setup.clock.suspend(stallMs);
    void writer.write(said.slice(ms * 8, (ms + 20) * 8));
    const isBacklog = ms >= stallAtMs && ms < stallAtMs + stallMs;
    if (!isBacklog) await setup.clock.advance(20);
  }
}

describe("What the far end hears", () => {
  for (
    const options of [{}, { sampleRate: 24_000 }, { sampleRate: 44_100 }, {
      codec: "PCMA",
    }] as const
  ) {
    it(`is the end of an utterance in its own slot, before the next one begins: ${JSON.stringify(options)}`, async () => {
      await using scene = await story();
      const { setup, call, hearing } = scene;
      const link = call.audio(options);
      const said = noise(139, 1, link.sampleRate);
      const startedAt = setup.clock.now();
      void link.writable.getWriter().write(said);
      await setup.clock.advance(1_000);
      const line = hearing.line(startedAt);
      isHeard(noise(139).subarray(0, 138 * 8), line, { atMs: 0, withinMs: 5 });
      assert.ok(line.length / 8 <= 160, `${line.length / 8} ms of an utterance of 139 ms`);
      await call.hangUp();
    });
  }

  it("is the last word before a goodbye that is awaited and then hung up", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const said = noise(490);
    const startedAt = setup.clock.now();
    const leaving = (async () => {
      await call.audio().writable.getWriter().write(said);
      await call.hangUp();
    })();
    await setup.clock.advance(1_000);
    await leaving;
    isHeard(said, hearing.line(startedAt), { atMs: 0 });
    assert.ok((await call.ended).event.endTimestampMs - startedAt <= 600);
  });

  it("is at most 60 ms late of a live source after a stall of 2 s, and 2 s late of speech", async () => {
    const said = noise(6_000);
    for (const [source, lateMs] of [["live", 60], ["speech", 2_000]] as const) {
      await using scene = await story();
      const startedAt = scene.setup.clock.now();
      await speakLive(scene, said, { source, leadMs: 10_000, stallAtMs: 1_000, stallMs: 2_000 });
      await scene.setup.clock.advance(100);
      const line = scene.hearing.line(startedAt);
      // What was made at 4 s, and where it is heard.
      const { atMs, correlation } = find(said.subarray(4_000 * 8, 4_200 * 8), line);
      if (source === "speech") {
        assert.ok(!(correlation > 0.9) || atMs - 4_000 > 1_500, `speech: ${atMs} ms`);
        continue;
      }
      assert.ok(correlation > 0.97 && atMs - 4_000 <= lateMs, `${source}: ${atMs - 4_000} ms late`);
      const { sendDropped } = scene.call.audio().stats();
      assert.ok(sendDropped >= 90 && sendDropped <= 100, `${sendDropped} frames dropped`);
      await scene.call.hangUp();
    }
  });

  it("is in the end all of a live source that is held up each second, and again little late when it is not", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const audio = call.audio({ source: "live" });
    const port = audioPort(audio);
    const startedAt = setup.clock.now();
    let chunks = 0;
    /** Speaks for a second whose first 120 ms come at once, or on time; gives how many of its frames were dropped. */
    const second = async (isHeldUp: boolean): Promise<number> => {
      const before = audio.stats().sendDropped;
      const together = isHeldUp ? 6 : 0;
      setup.clock.suspend(together * 20);
      for (let i = 0; i < 50; i++) {
        if (i >= together) await setup.clock.advance(20);
        port.send(noise(20, chunks++));
      }
      return audio.stats().sendDropped - before;
    };
    const dropped: number[] = [];
    for (let i = 0; i < 8; i++) dropped.push(await second(true));
    assert.ok(dropped[0]! > 0, "the first time, what is too late");
    assert.deepEqual(dropped.slice(3), [0, 0, 0, 0, 0], `${dropped}`);
    /** How late a chunk is heard, counted from the moment when it was whole. */
    const lateMs = (chunk: number): number => {
      const { atMs, correlation } = find(noise(20, chunk), hearing.line(startedAt));
      assert.ok(correlation > 0.97, `correlation ${correlation.toFixed(3)}`);
      return atMs - (chunk + 1) * 20;
    };
    assert.ok(lateMs(chunks - 5) <= 120, `${lateMs(chunks - 5)} ms late`);
    for (let i = 0; i < 100; i++) await second(false);
    assert.ok(lateMs(chunks - 5) <= 60, `${lateMs(chunks - 5)} ms late after 100 s on time`);
    assert.ok(await second(true) > 0, "and this is a first time again");
    await setup.clock.advance(200);
    await call.hangUp();
  });

  it("is in the end all of a live source whose chunks are of 100 ms each", async () => {
    await using scene = await story();
    const { setup, call } = scene;
    const audio = call.audio({ source: "live" });
    const port = audioPort(audio);
    let before = 0;
    for (let chunk = 0; chunk < 50; chunk++) {
      await setup.clock.advance(100);
      port.send(noise(100, chunk));
      if (chunk === 10) before = audio.stats().sendDropped;
    }
    assert.ok(before > 0, "at first, what is too late");
    assert.equal(audio.stats().sendDropped, before);
    await setup.clock.advance(200);
    await call.hangUp();
  });

  it("is every word of a greeting that was written while it rang, and its writer waits meanwhile", async () => {
    await using scene = await story({ ringMs: 1_000, isAnswered: false });
    const { setup, call, hearing } = scene;
    const said = noise(1_000);
    const writer = call.audio().writable.getWriter();
    const startedAt = setup.clock.now();
    let written = false;
    const writing = writer.write(said).then(() => written = true);
    await setup.clock.advance(900);
    assert.equal(written, false);
    assert.ok(writer.desiredSize! <= 0, "asks to wait");
    await setup.clock.advance(1_500);
    await writing;
    isHeard(said.subarray(0, 2_000), hearing.line(startedAt), { atMs: 1_000, withinMs: 25 });
    isHeard(said.subarray(6_000), hearing.line(startedAt), { atMs: 1_750, withinMs: 25 });
    await call.hangUp();
  });

  it("is a live source without a seam where a chunk is late by less than is kept of it", async () => {
    await using scene = await story();
    const { setup, call } = scene;
    const audio = call.audio({ source: "live", sampleRate: 48_000 });
    const port = audioPort(audio);
    // 20 ms each, of which every fifth comes 40 ms late, with those after it.
    for (let chunk = 0; chunk < 50; chunk++) {
      port.send(noise(20, chunk, 48_000));
      const isHeldUp = chunk % 5 === 1;
      const isBehind = chunk % 5 === 2 || chunk % 5 === 3;
      await setup.clock.advance(isHeldUp ? 60 : isBehind ? 0 : 20);
    }
    // Not one frame was completed with silence: that would be one more.
    const { sent, sendDropped } = audio.stats();
    assert.ok(sent + sendDropped <= 50, `${sent} frames of 50 chunks`);
    await setup.clock.advance(200);
    assert.equal(audio.stats().sent + sendDropped, 51, "the end of it is heard");
    await call.hangUp();
  });

  it("is a live source's frame when it is made, also after one that was late", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const port = audioPort(call.audio({ source: "live" }));
    const made: number[] = [];
    const startedAt = setup.clock.now();
    // Made between two slots. Every seventh is late by 15 ms, every eleventh comes with the next one.
    for (let chunk = 0; chunk < 100; chunk++) {
      const lateMs = chunk % 7 === 3 ? 15 : chunk % 11 === 5 ? 20 : 0;
      const dueAt = startedAt + chunk * 20 + 13 + lateMs;
      await setup.clock.advance(dueAt - setup.clock.now());
      made.push(setup.clock.now());
      port.send(noise(20, chunk));
    }
    await setup.clock.advance(200);
    const heard = hearing.times;
    assert.equal(heard.length, made.length);
    const late = heard.map((atMs, i) => atMs - made[i]!);
    assert.ok(Math.max(...late) <= 20, `at most ${Math.max(...late)} ms`);
    const onTime = late.filter((ms) => ms === 0).length;
    assert.ok(onTime >= late.length - 10, `${onTime} of ${late.length} at once`);
    await call.hangUp();
  });

  it("is not silence between the frames of a live source, and silence once it has stopped", async () => {
    await using scene = await story();
    const { setup, call } = scene;
    const audio = call.audio({ source: "live", silence: "send" });
    const port = audioPort(audio);
    await setup.clock.advance(200);
    const before = audio.stats().sent;
    assert.ok(before >= 6, `${before} frames of silence in 200 ms`);
    for (let chunk = 0; chunk < 50; chunk++) {
      port.send(noise(20, chunk));
      await setup.clock.advance(chunk % 2 === 0 ? 27 : 13);
    }
    assert.equal(audio.stats().sent - before, 50);
    await setup.clock.advance(1_000);
    const silence = audio.stats().sent - before - 50;
    assert.ok(silence >= 45 && silence <= 50, `${silence} frames of silence in a second`);
    await call.hangUp();
  });

  it("is nothing of a live source before the answer, which is counted, and then what is said now", async () => {
    await using scene = await story({ ringMs: 1_000, isAnswered: false });
    const { setup, call, hearing } = scene;
    const said = noise(2_000);
    const startedAt = setup.clock.now();
    await speakLive(scene, said, { source: "live", stallAtMs: -1, stallMs: 0 });
    const line = hearing.line(startedAt);
    const { atMs } = find(said.subarray(1_500 * 8, 1_700 * 8), line);
    assert.ok(Math.abs(atMs - 1_500) <= 60, `heard at ${atMs}`);
    const { sendDropped } = call.audio().stats();
    assert.ok(sendDropped >= 45 && sendDropped <= 52, `${sendDropped} frames dropped`);
    await call.hangUp();
  });

  for (const way of ["writable", "port"] as const) {
    it(`is all of a playback on a link whose source is live, and the source after it (${way})`, async () => {
      await using scene = await story({ ringMs: 1_000, isAnswered: false });
      const { setup, call, hearing } = scene;
      const audio = call.audio({ source: "live", sampleRate: 24_000 });
      const port = audioPort(audio);
      const writer = way === "writable" ? audio.writable.getWriter() : undefined;
      const startedAt = setup.clock.now();
      const said = noise(690, 1, 24_000);
      const live = noise(3_000, 2, 24_000);
      const playback = audio.play(said);
      for (let ms = 0; ms < 3_000; ms += 20) {
        const chunk = live.slice(ms * 24, (ms + 20) * 24);
        if (writer === undefined) port.send(chunk);
        else void writer.write(chunk);
        await setup.clock.advance(20);
      }
      await setup.clock.advance(200);
      const { playedMs, interrupted } = await playback.finished;
      assert.deepEqual([playedMs, interrupted], [690, false]);
      const line = hearing.line(startedAt);
      isHeard(noise(690, 1).subarray(80, 680 * 8), line, { atMs: 1_030, withinMs: 40 });
      isHeard(noise(3_000, 2).subarray(2_000 * 8, 2_900 * 8), line, { atMs: 2_020, withinMs: 40 });
      await call.hangUp();
    });
  }

  it("is played one after another, with what was heard of each", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const audio = call.audio({ sampleRate: 16_000 });
    const startedAt = setup.clock.now();
    const parts = [1, 2, 3].map((seed) => noise(330, seed, 16_000));
    async function* inPieces(): AsyncGenerator<Int16Array> {
      for (let at = 0; at < parts[1]!.length; at += 700) yield parts[1]!.subarray(at, at + 700);
    }
    const first = audio.play(parts[0]!, { id: "first" });
    const second = audio.play(inPieces());
    const third = audio.play(
      new ReadableStream({
        start(controller) {
          controller.enqueue(parts[2]!);
          controller.close();
        },
      }),
    );
    assert.equal(first.id, "first");
    await setup.clock.advance(200);
    assert.equal(first.playedMs, 200);
    assert.ok(first.queuedMs > 0);
    await setup.clock.advance(1_500);
    for (const playback of [first, second, third]) {
      const { playedMs, durationMs, interrupted } = await playback.finished;
      assert.equal(Math.round(durationMs), 330);
      assert.deepEqual({ playedMs, interrupted }, { playedMs: durationMs, interrupted: false });
    }
    for (const [i, seed] of [1, 2, 3].entries()) {
      // Each begins with a frame of its own: 340 ms.
      const said = noise(330, seed, 8_000).subarray(80, 2_400);
      isHeard(said, hearing.line(startedAt), { atMs: i * 340 + 10, withinMs: 6 });
    }
    await call.hangUp();
  });

  it("ends within 40 ms of what clear() says was played, for playbacks and for what was written", async () => {
    for (const how of ["play", "write"] as const) {
      for (const cutAtMs of [310, 2_000]) {
        await using scene = await story();
        const { setup, call, hearing } = scene;
        const audio = call.audio();
        const said = noise(4_000);
        const playback = how === "play" ? audio.play(said) : undefined;
        if (how === "write") void audio.writable.getWriter().write(said);
        await setup.clock.advance(cutAtMs);
        const cut = await audio.clear();
        const heardMs = hearing.ms;
        await setup.clock.advance(1_000);
        assert.equal(hearing.ms, heardMs, "nothing of before comes after");
        assert.ok(Math.abs(cut.playedMs - cutAtMs) <= 40, `${cut.playedMs} ms at ${cutAtMs}`);
        assert.ok(Math.abs(cut.playedMs - heardMs) <= 40, `${cut.playedMs} said, ${heardMs} heard`);
        assert.equal(cut.interrupted, true);
        if (playback === undefined) assert.equal(cut.durationMs, 4_000);
        else assert.deepEqual(await playback.finished, cut);
        isHeard(said.subarray(0, 2_000), hearing.joined(), { atMs: 0 });
        // And the next utterance is whole.
        const next = noise(300, 9);
        const again = audio.play(next);
        await setup.clock.advance(500);
        assert.deepEqual(await again.finished, {
          playedMs: 300,
          durationMs: 300,
          interrupted: false,
        });
        isHeard(next, hearing.joined(), { atMs: heardMs });
        await call.hangUp();
      }
    }
  });

  it("is what follows a source that throws when it is left", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const said = noise(200);
    const chunks = [said];
    const leave = (): never => {
      throw new Error("nothing to leave");
    };
    const source = {
      [Symbol.asyncIterator]: () => ({
        next() {
          const value = chunks.shift();
          return Promise.resolve(value === undefined ? { value, done: true } : { value });
        },
        return: leave,
      }),
    };
    const audio = call.audio();
    const playback = audio.play(source as AsyncIterable<Int16Array>);
    const next = audio.play(noise(200, 2));
    const startedAt = setup.clock.now();
    await setup.clock.advance(1_000);
    assert.equal((await playback.finished).interrupted, false);
    assert.equal((await next.finished).interrupted, false);
    isHeard(noise(200, 2), hearing.line(startedAt), { atMs: 200, withinMs: 20 });
    await call.hangUp();
  });

  it("is the rest of a playback's successor when one is stopped", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const audio = call.audio();
    const endless = new ReadableStream<Int16Array>({
      pull: (controller) => controller.enqueue(noise(20)),
    });
    const first = audio.play(endless);
    const next = noise(300, 5);
    const second = audio.play(next);
    await setup.clock.advance(400);
    const stopped = first.stop();
    assert.ok(stopped.interrupted && Math.abs(stopped.playedMs - 400) <= 20, `${stopped.playedMs}`);
    await setup.clock.advance(600);
    assert.equal((await second.finished).interrupted, false);
    const { atMs, correlation } = find(next, hearing.joined());
    assert.ok(correlation > 0.97 && Math.abs(atMs - 400) <= 40, `heard after ${atMs} ms`);
    await call.hangUp();
  });

  it("is all that flush() waits for", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const audio = call.audio();
    const writer = audio.writable.getWriter();
    for (let i = 0; i < 5; i++) void writer.write(noise(30, i + 1));
    void audio.play(noise(95, 7));
    let isFlushed = false;
    const flushing = audio.flush().then(() => isFlushed = true);
    await setup.clock.advance(100);
    assert.equal(isFlushed, false);
    await setup.clock.advance(400);
    await flushing;
    assert.equal(hearing.ms, 260);
    await audio.flush();
    void writer.write(noise(500));
    const cutShort = assert.rejects(audio.flush(), hasCode("ERR_CALL_ENDED"));
    await call.hangUp();
    await setup.clock.advance(500);
    await cutShort;
  });

  it("takes samples from -1 to 1 as it takes 16-bit ones", async () => {
    await using scene = await story();
    const { setup, call, hearing } = scene;
    const said = noise(400);
    const floats = Float32Array.from(said, (sample) => sample / 32_768);
    const startedAt = setup.clock.now();
    void call.audio().writable.getWriter().write(floats);
    await setup.clock.advance(600);
    isHeard(said, hearing.line(startedAt), { atMs: 0 });
    await call.hangUp();
  });
});
