import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveLimits } from "../../../../src/gateway/limits.ts";
import type { AudioSource } from "../../../../src/gateway/call/audio_source.ts";
import { Outbox } from "../../../../src/gateway/session/outbox.ts";
import {
  AudioFrame,
  AudioFrameEncoder,
  CallEvent,
  FrameReader,
  methods,
  SessionEnding,
} from "../../../../src/wire/mod.ts";
import { settle } from "../../../../src/testing/mod.ts";

function source(callSid: string): AudioSource {
  return { encoder: (codec) => new AudioFrameEncoder({ callSid, codec }) };
}

const [one, two] = [source("one"), source("two")];
const speech = (sequenceNumber: number, size = 10) => ({
  payload: new Uint8Array(size).fill(sequenceNumber),
  codec: "PCMU",
  sequenceNumber,
});
const event = (callSid: string): CallEvent => CallEvent.decode(CallEvent.encode({ callSid }));

/** An outbox whose streams can be held back. */
function open(limits = {}) {
  const said: string[] = [];
  const writeSizes: number[] = [];
  const payloads: Uint8Array[] = [];
  let isOpen = true;
  let release: () => void = () => {};
  let slow = 0;
  const audio = { written: 0, dropped: 0 };
  const outbox = new Outbox({
    limits: resolveLimits(limits),
    open: () => {
      const frames = new FrameReader();
      return Promise.resolve(
        new WritableStream<Uint8Array>({
          write(chunk) {
            writeSizes.push(chunk.length);
            for (const { methodId, envelope } of frames.push(chunk)) {
              if (methodId === methods.CallEvent.id) said.push(CallEvent.decode(envelope).callSid);
              else if (methodId === methods.AudioFrame.id) {
                const { callSid, payload, sequenceNumber, endOfStream } = AudioFrame.decode(
                  envelope,
                );
                payloads.push(payload);
                said.push(`${callSid} ${sequenceNumber}${endOfStream ? " end" : ""}`);
              } else said.push(SessionEnding.decode(envelope).reason);
            }
            return isOpen ? undefined : new Promise((resolve) => release = resolve);
          },
        }),
      );
    },
    onSlow: () => slow++,
    onAudio: (written, dropped) => {
      audio.written += written;
      audio.dropped += dropped;
    },
  });
  return {
    ...{ outbox, said, audio, writeSizes, payloads },
    slow: () => slow,
    hold: () => void (isOpen = false),
    async resume() {
      isOpen = true;
      release();
      await settle();
    },
  };
}

describe("Outbox", () => {
  it("sends a turn's events in one write, and a turn's audio in another, calls in turn", async () => {
    const { outbox, said, writeSizes } = open();
    for (const sid of ["a", "b", "c"]) outbox.event(event(sid));
    for (let i = 0; i < 3; i++) outbox.audio(one, speech(i), false);
    outbox.audio(two, speech(0), false);
    outbox.audio(two, speech(1), true);
    await settle();
    assert.deepEqual(said.filter((line) => line.length === 1), ["a", "b", "c"]);
    assert.deepEqual(said.filter((line) => line.length > 1), [
      ...["one 0", "two 0", "one 1", "two 1 end", "one 2"],
    ]);
    assert.equal(writeSizes.length, 2);
  });

  it("drops the oldest audio of the call that is behind, and of no other", async () => {
    const { outbox, said, audio, hold, resume } = open({ queuedAudioFrames: 3 });
    hold();
    outbox.audio(one, speech(0), false);
    await settle();
    for (let i = 1; i < 10; i++) outbox.audio(one, speech(i), false);
    outbox.audio(two, speech(0), false);
    await resume();
    assert.deepEqual(said, ["one 0", "one 7", "two 0", "one 8", "one 9"]);
    assert.deepEqual(audio, { written: 5, dropped: 6 });
  });

  it("sends what a packet held when it was queued", async () => {
    const { outbox, payloads } = open();
    const lent = new Uint8Array(160);
    for (let turn = 0; turn < 2; turn++) {
      for (let i = 0; i < 3; i++) {
        lent.fill(3 * turn + i);
        outbox.audio(one, { payload: lent, codec: "PCMU", sequenceNumber: 3 * turn + i }, false);
      }
      lent.fill(99);
      await settle();
    }
    outbox.audio(one, speech(6, 80), false);
    await settle();
    assert.deepEqual(payloads.map(({ length, 0: first }) => [length, first]), [
      ...[[160, 0], [160, 1], [160, 2], [160, 3], [160, 4], [160, 5], [80, 6]],
    ]);
  });

  it("drops the newest audio when the session as a whole holds too much", async () => {
    const { outbox, audio, hold, resume, said } = open({ queuedAudioBytes: 1_000 });
    hold();
    outbox.audio(one, speech(0), false);
    await settle();
    for (let i = 0; i < 30; i++) outbox.audio(source(`s${i}`), speech(1, 100), false);
    assert.equal(audio.dropped, 19);
    await resume();
    assert.equal(said.length, 12);
    outbox.audio(one, speech(1), false);
    await settle();
    assert.equal(said.length, 13, "there is room again");
  });

  it("reports once that the peer is too slow for its events, and keeps none after it", async () => {
    const { outbox, slow, hold, resume, said } = open({ queuedEvents: 3 });
    hold();
    outbox.event(event("x"));
    await settle();
    for (const sid of ["a", "b", "c", "d", "e"]) outbox.event(event(sid));
    assert.equal(slow(), 1);
    const ended = outbox.say({ code: 429, reason: "slow subscriber", reconnect: true });
    await resume();
    await ended;
    assert.deepEqual(said, ["x", "slow subscriber"]);
  });

  it("says the last word behind the events that wait", async () => {
    const { outbox, said } = open();
    outbox.event(event("a"));
    await outbox.say({ code: 503, reason: "bye", reconnect: true });
    assert.deepEqual(said, ["a", "bye"]);
  });

  it("drops what waits of one call when it is hushed", async () => {
    const { outbox, said, audio } = open();
    outbox.audio(one, speech(0), false);
    outbox.audio(two, speech(0), false);
    outbox.hush(one);
    outbox.hush(source("other"));
    await settle();
    assert.deepEqual([said, audio], [["two 0"], { written: 1, dropped: 1 }]);
  });

  it("drops everything at its end", async () => {
    const { outbox, said, audio, hold } = open();
    hold();
    outbox.audio(one, speech(0), false);
    await settle();
    outbox.audio(one, speech(1), false);
    outbox.end();
    outbox.audio(one, speech(2), false);
    outbox.event(event("a"));
    await settle();
    assert.deepEqual([said, audio], [["one 0"], { written: 1, dropped: 2 }]);
    assert.equal(outbox.isDeaf, true);
  });
});
