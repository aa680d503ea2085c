import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AudioLink, Call } from "../../../../mod.ts";
import { audioPort } from "../../../../src/client/mod.ts";
import { sumAudio } from "../../../../src/client/audio/audio_link.ts";
import { type ClientSetup, clientSetup, hasCode } from "../../../support/client_kit.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { decodePcmu, toneSamples } from "../../../../src/audio/mod.ts";

async function answered(story: ClientSetup, to = "+15550100"): Promise<Call> {
  const call = await story.client.dial({ to, trunkId: "main" });
  await story.setup.clock.advance(250);
  await call.answered();
  return call;
}

/** Reads frames until the stream ends, or until `count` have come. */
async function read(link: AudioLink, count = Infinity): Promise<Uint8Array[]> {
  const payloads: Uint8Array[] = [];
  for await (const frame of link.readable) {
    if (frame.payload.length > 0) payloads.push(frame.payload);
    if (payloads.length >= count) break;
  }
  return payloads;
}

function ramp(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (index * 7 + (index >> 8)) & 255);
}

describe("AudioLink", () => {
  it("cuts chunks of any size into 20 ms frames, one per tick, and hears them back byte for byte", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const spoken = ramp(160 * 20);
    const heard = read(link, 20);
    const writer = link.writable.getWriter();
    const sizes = [1, 159, 500, 7, 33, 1_000];
    let at = 0;
    void (async () => {
      for (let turn = 0; at < spoken.length; turn++) {
        const size = sizes[turn % sizes.length]!;
        await writer.ready;
        const chunk = spoken.subarray(at, at + size);
        at += size;
        await writer.write(chunk);
      }
      await writer.close();
    })();
    await story.setup.clock.advance(1_000);
    const payloads = await heard;
    assert.deepEqual(payloads.map((payload) => payload.length), Array(20).fill(160));
    assert.deepEqual(Uint8Array.from(payloads.flatMap((payload) => [...payload])), spoken);
    assert.equal(link.stats().sent, 21, "twenty frames, and the one that ends the stream");
    assert.equal(link.stats().lost, 0);
  });

  it("sends 50 frames a second on an absolute schedule: none early, no drift", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio({ leadMs: 10_000 });
    const writer = link.writable.getWriter();
    void writer.write(new Uint8Array(160 * 6_000)).catch(() => {});
    await story.setup.clock.advance(0);
    for (let second = 1; second <= 60; second++) {
      await story.setup.clock.advance(1_000);
      assert.equal(link.stats().sent, 50 * second + 1);
    }
    assert.equal(link.stats().slotsMissed, 0);
    await call.hangUp();
  });

  it("sends at most three frames at once after a stall, and counts the slots it missed", async () => {
    await using story = await clientSetup();
    const { clock } = story.setup;
    const call = await answered(story);
    const link = call.audio({ leadMs: 10_000 });
    void link.writable.getWriter().write(new Uint8Array(160 * 500)).catch(() => {});
    await clock.advance(40);
    const before = link.stats().sent;
    clock.suspend(400);
    await clock.advance(0);
    assert.equal(link.stats().sent - before, 3);
    assert.equal(link.stats().slotsMissed, 17);
    await clock.advance(100);
    assert.equal(link.stats().sent - before, 8);
    await call.hangUp();
  });

  it("makes up after a short stall for chunks of one frame, also when they are written late", async () => {
    await using story = await clientSetup();
    const { clock } = story.setup;
    const call = await answered(story);
    const link = call.audio();
    const writer = link.writable.getWriter();
    let written = 0;
    const speak = (frames: number): void => {
      for (let i = 0; i < frames; i++, written++) void writer.write(new Uint8Array(160));
    };
    for (const stalledMs of [20, 40, 60]) {
      for (let slot = 0; slot < 10; slot++) {
        speak(1);
        await clock.advance(20);
      }
      clock.suspend(stalledMs);
      // The schedule comes first, with nothing to send; the speaker was held up as long.
      await clock.advance(0);
      speak(1 + stalledMs / 20);
      await clock.advance(20);
      await clock.advance(20);
      speak(1);
      await clock.advance(0);
      assert.ok(written - link.stats().sent <= 1, `${written} written after ${stalledMs} ms`);
    }
    assert.equal(link.stats().slotsMissed, 0);
    await call.hangUp();
  });

  it("does not make up for slots in which nothing was said", async () => {
    await using story = await clientSetup();
    const { clock } = story.setup;
    const call = await answered(story);
    const link = call.audio({ leadMs: 10_000 });
    const writer = link.writable.getWriter();
    void writer.write(new Uint8Array(160));
    await clock.advance(0);
    clock.suspend(60);
    await clock.advance(1_000);
    const { sent } = link.stats();
    void writer.write(new Uint8Array(160 * 10)).catch(() => {});
    await clock.advance(0);
    assert.equal(link.stats().sent - sent, 1);
    await call.hangUp();
  });

  it("puts no silence between chunks of one frame after a stall", async () => {
    await using story = await clientSetup();
    const { clock } = story.setup;
    const call = await answered(story);
    const link = call.audio({ silence: "send", receiveCapacity: 1_000 });
    await clock.advance(100);
    const writer = link.writable.getWriter();
    for (let frame = 1; frame <= 5; frame++) void writer.write(new Uint8Array(160).fill(frame));
    await settle();
    clock.suspend(60);
    await clock.advance(200);
    const heard = (await read(link, 12)).map(([first]) => first!);
    const from = heard.indexOf(1);
    assert.deepEqual(heard.slice(from, from + 6), [1, 2, 3, 4, 5, 0xff]);
    await call.hangUp();
  });

  it("asks its writer to wait when more than the lead is waiting", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio({ leadMs: 200 });
    const writer = link.writable.getWriter();
    assert.equal(writer.desiredSize, 200);
    void writer.write(new Uint8Array(160 * 5));
    assert.equal(writer.desiredSize, 100);
    void writer.write(new Uint8Array(160 * 10));
    assert.equal(writer.desiredSize, -100);
    await story.setup.clock.advance(1_000);
    assert.equal(writer.desiredSize, 200);
    await call.hangUp();
  });

  it("close() plays out what a writer that holds the lock has written, awaited or not; so does the client's", async () => {
    for (const what of ["link", "client"]) {
      await using story = await clientSetup();
      const call = await answered(story);
      const link = call.audio();
      const writer = link.writable.getWriter();
      for (let i = 0; i < 3; i++) void writer.write(ramp(1_600));
      const closing = what === "link" ? link.close() : story.client.close();
      await story.setup.clock.advance(4_000);
      await closing;
      assert.equal(link.stats().sent, 31, "thirty frames, and the one that ends the stream");
    }
  });

  it("clear() drops what was written and not sent, whole and in parts, and sends Barge", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio({ leadMs: 200 });
    const writer = link.writable.getWriter();
    const writes = [1, 2, 3].map(() => writer.write(new Uint8Array(160 * 50)));
    await story.setup.clock.advance(100);
    const { sent } = link.stats();
    await link.clear();
    await Promise.all(writes);
    await story.setup.clock.advance(500);
    assert.equal(link.stats().sent, sent, "nothing of before the clear was sent after it");
    const after = writer.write(new Uint8Array(160));
    await story.setup.clock.advance(100);
    await after;
    assert.equal(link.stats().sent, sent + 1);
    await call.hangUp();
  });

  it("fills pauses with silence when asked to", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio({ silence: "send" });
    const heard = read(link, 5);
    await story.setup.clock.advance(200);
    for (const payload of await heard) assert.ok(payload.every((byte) => byte === 0xff));
    await call.hangUp();
  });

  it("takes and gives samples at the rate of a voice model", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio({ sampleRate: 24_000 });
    const spoken = toneSamples({ frequencyHz: 440, sampleRate: 24_000, milliseconds: 400 });
    const writer = link.writable.getWriter();
    void writer.write(spoken).then(() => writer.close());
    let samples = 0;
    let peak = 0;
    const listening = (async () => {
      for await (const chunk of link.samples) {
        samples += chunk.length;
        for (const sample of chunk) peak = Math.max(peak, Math.abs(sample));
        if (samples >= 9_000) break;
      }
    })();
    await story.setup.clock.advance(1_000);
    await listening;
    assert.ok(Math.abs(peak - 16_384) < 1_000, `peak ${peak} of a half-scale tone`);
    await call.hangUp();
  });

  it("hears the tone of +15550106 at 50 frames a second, until it barges in", async () => {
    await using story = await clientSetup();
    const call = await answered(story, "+15550106");
    const link = call.audio({ receiveCapacity: 1_000 });
    await story.setup.clock.advance(1_000);
    const { received } = link.stats();
    // Those of the 50 ms before the link was opened are among them.
    assert.ok(Math.abs(received - 53) <= 1, `${received} frames in a second`);
    const [first] = await read(link, 1);
    assert.ok(decodePcmu(first!).some((sample) => Math.abs(sample) > 1_000));
    await call.hangUp();
  });

  it("puts the frames of +15550107 in order and conceals the lost ones", async () => {
    await using story = await clientSetup();
    const call = await answered(story, "+15550107");
    const link = call.audio({ jitterBufferMs: 60, receiveCapacity: 1_000 });
    const writer = link.writable.getWriter();
    void writer.write(ramp(160 * 100)).then(() => writer.close()).catch(() => {});
    const numbers: number[] = [];
    let concealed = 0;
    const listening = (async () => {
      for await (const frame of link.readable) {
        numbers.push(frame.sequenceNumber);
        if (frame.concealed) concealed++;
        if (numbers.length === 90) break;
      }
    })();
    await story.setup.clock.advance(4_000);
    await listening;
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    assert.ok(concealed >= 5, `${concealed} frames concealed`);
    assert.ok(link.stats().lost >= 5);
    await call.hangUp();
  });

  it("drops the oldest frames that are not read, and counts them", async () => {
    await using story = await clientSetup();
    const call = await answered(story, "+15550106");
    const link = call.audio({ receiveCapacity: 10 });
    await story.setup.clock.advance(1_000);
    assert.ok(link.stats().unread >= 35);
    await call.hangUp();
  });

  it("ends both directions with the call", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const writer = link.writable.getWriter();
    const heard = read(link);
    await call.hangUp();
    await story.setup.clock.advance(1_000);
    assert.deepEqual(await heard, []);
    await assert.rejects(writer.closed, hasCode("ERR_CALL_ENDED"));
    assert.throws(() => call.audio(), hasCode("ERR_CALL_ENDED"));
  });

  it("goes on with rising sequence numbers through a renewal, none lost", async () => {
    await using story = await clientSetup();
    const { clock } = story.setup;
    const call = await answered(story);
    const link = call.audio({ receiveCapacity: 10_000, leadMs: 10_000 });
    void link.writable.getWriter().write(ramp(160 * 400)).catch(() => {});
    await clock.advance(1_000);
    await story.client.renew();
    await clock.advance(3_000);
    const { sent, sendDropped, received } = link.stats();
    assert.equal(sent, 201);
    assert.equal(sendDropped, 0);
    assert.ok(sent - received <= 1, `${received} of ${sent} came back`);
    await call.hangUp();
  });

  it("is the open link for options that it has, and names the difference for others", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio({ sampleRate: 24_000 });
    assert.equal(call.audio(), link);
    assert.equal(call.audio({ sampleRate: 24_000, codec: "PCMU", leadMs: undefined }), link);
    for (
      const [options, name] of [
        [{ codec: "PCM16" }, "codec PCMU, and PCM16"],
        [{ sampleRate: 8_000 }, "sampleRate 24000, and 8000"],
        [{ source: "live" }, "source speech, and live"],
        [{ jitterBufferMs: 60 }, "jitterBufferMs left out, and 60"],
      ] as const
    ) {
      assert.throws(() => call.audio(options), (error: Error) => {
        hasCode("ERR_VALUE_INVALID")(error);
        assert.ok(error.message.includes(name), error.message);
        return true;
      });
    }
    await call.hangUp();
  });

  it("says what it found in place of audio, and takes the next chunk", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio({ codec: "PCM16" });
    const wav = new Uint8Array(44);
    wav.set(new TextEncoder().encode("RIFF"));
    wav.set(new TextEncoder().encode("WAVE"), 8);
    for (
      const [chunk, found] of [
        ["UklGRg==", /found text of 8 characters \(decode base64/],
        [new ArrayBuffer(640), /found an ArrayBuffer of 640 bytes \(wrap it/],
        [wav, /found the header of a WAV file/],
        [new Uint8Array(641), /found 641 bytes, expected two for each sample/],
        [Float32Array.of(0, NaN), /sample 1 is NaN, expected -1 to 1/],
        [Float32Array.of(12_000), /sample 0 is 12000, expected -1 to 1/],
        [[1, 2, 3], /found Array, expected an Int16Array/],
        [undefined, /found Undefined/],
      ] as const
    ) {
      await assert.rejects(link.writable.getWriter().write(chunk as Uint8Array), found);
      const writer = link.writable.getWriter();
      const { sent } = link.stats();
      const taken = writer.write(new Int16Array(320));
      await story.setup.clock.advance(40);
      await taken;
      assert.equal(link.stats().sent, sent + 1);
      writer.releaseLock();
      const playing = () => link.play(chunk as Uint8Array).finished;
      await assert.rejects(async () => await playing(), found);
    }
    await call.hangUp();
  });

  it("samples and readable lock nothing before they are read", async () => {
    await using story = await clientSetup();
    const call = await answered(story, "+15550106");
    const link = call.audio();
    assert.ok(link.samples);
    const reader = link.readable.getReader();
    await story.setup.clock.advance(100);
    assert.equal((await reader.read()).value?.payload.length, 160);
    await assert.rejects(link.samples.getReader().read(), hasCode("ERR_VALUE_INVALID"));
    assert.equal((await reader.read()).value?.payload.length, 160);
    await call.hangUp();
  });

  it("skipToNow() drops what was not read, with a jitter buffer and without", async () => {
    for (const jitterBufferMs of [undefined, 60]) {
      await using story = await clientSetup();
      const call = await answered(story, "+15550106");
      const link = call.audio({ jitterBufferMs });
      await story.setup.clock.advance(1_000);
      const skippedMs = link.skipToNow();
      assert.ok(skippedMs > 850 && skippedMs < 1_100, `${skippedMs} ms`);
      const next = link.readable.getReader().read();
      await story.setup.clock.advance(40);
      const { value } = await next;
      assert.ok(value!.sequenceNumber >= 48, `frame ${value!.sequenceNumber}`);
      await call.hangUp();
    }
  });

  it("takes nothing through a writable that is first asked for while it closes, or later", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const link = call.audio();
    const port = audioPort(link);
    for (let i = 0; i < 10; i++) port.send(ramp(160));
    const closing = link.close();
    await settle();
    const late = link.writable.getWriter().write(ramp(160));
    await story.setup.clock.advance(400);
    await closing;
    await assert.rejects(late, hasCode("ERR_CALL_ENDED"));
    assert.equal(link.stats().sent, 11, "ten frames, and the one that ends the stream");
    const another = call.audio();
    another.close();
    await story.setup.clock.advance(400);
    await assert.rejects(another.writable.getWriter().closed, hasCode("ERR_CALL_ENDED"));
    const { playedMs, interrupted } = await another.play(ramp(160)).finished;
    assert.deepEqual({ playedMs, interrupted }, { playedMs: 0, interrupted: true });
    await call.hangUp();
  });

  it("refuses codecs and bounds that do not exist", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    assert.throws(() => call.audio({ codec: "OPUS" as "PCMU" }), hasCode("ERR_VALUE_INVALID"));
    assert.throws(() => call.audio({ leadMs: 0 }), hasCode("ERR_VALUE_INVALID"));
    assert.throws(() => call.audio({ receiveCapacity: 0 }), hasCode("ERR_VALUE_INVALID"));
    const writer = call.audio().writable.getWriter();
    await assert.rejects(writer.write("text" as unknown as Uint8Array), TypeError);
    await settle();
    await call.hangUp();
  });
});

describe("sumAudio()", () => {
  it("adds every count of every link", () => {
    const one = { ...sumAudio([]), received: 1, lost: 2, sent: 3, unread: 4, sendDropped: 5 };
    assert.deepEqual(sumAudio([one, one]), {
      ...sumAudio([]),
      received: 2,
      lost: 4,
      sent: 6,
      unread: 8,
      sendDropped: 10,
    });
  });
});
