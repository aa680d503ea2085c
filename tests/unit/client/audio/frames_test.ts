import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteRoom } from "../../../../src/base/bytes.ts";
import { FrameQueue } from "../../../../src/client/audio/frame_queue.ts";
import type { FrameOwner, OutgoingFrame } from "../../../../src/client/audio/outgoing_frame.ts";
import { SendStream } from "../../../../src/client/audio/send_stream.ts";
import { SpeechTrack } from "../../../../src/client/audio/speech_track.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { AudioFrame, AudioFrameEncoder, FrameReader } from "../../../../src/wire/mod.ts";
import { seed } from "../../../support/seed.ts";

const FRAME_BYTES = 160;
const CALLS = 3;

/** What the far end gets: numbers and sounds, by call. */
class FarEnd {
  takes = true;
  readonly heard = new Map<string, { readonly number: number; readonly sound: number }[]>();

  /** Streams to it; each write holds whole frames. */
  open(room: ByteRoom): SendStream {
    const reader = new FrameReader();
    const desiredSize = (): number => this.takes ? 1 : 0;
    const writer = {
      get desiredSize() {
        return desiredSize();
      },
      ready: new Promise<void>(() => {}),
      closed: new Promise<void>(() => {}),
      write: (bytes: Uint8Array) => {
        for (const { envelope } of reader.push(bytes)) this.#hear(AudioFrame.decode(envelope));
        assert.equal(reader.pendingBytes, 0);
        return Promise.resolve();
      },
    };
    return new SendStream({
      room,
      open: () => Promise.resolve({ getWriter: () => writer } as unknown as WritableStream),
      capacity: () => 8,
      onFailure: (error) => assert.fail(String(error)),
    });
  }

  #hear({ callSid, sequenceNumber: number, payload }: AudioFrame): void {
    const heard = this.heard.get(callSid) ?? [];
    this.heard.set(callSid, heard);
    const sound = payload.length === 0 ? 0 : new DataView(payload.slice().buffer).getUint32(0);
    heard.push({ number, sound });
  }
}

/** A call whose frames say in which order they were made. */
class Speaker implements FrameOwner {
  readonly codec = "PCMU";
  readonly sampleRate = 8_000;
  readonly encoder: AudioFrameEncoder;
  readonly sequence = { next: 0 };
  readonly queue: FrameQueue;
  readonly tracks = [new SpeechTrack(), new SpeechTrack()] as const;
  /** Frames that are with a stream. */
  readonly away = new Set<OutgoingFrame>();
  #said = 0;

  readonly callSid: string;
  readonly room: ByteRoom;

  constructor(callSid: string, room: ByteRoom) {
    this.callSid = callSid;
    this.room = room;
    this.encoder = new AudioFrameEncoder({ callSid, codec: "PCMU" });
    this.queue = new FrameQueue(this);
  }

  say(frames: number, track: SpeechTrack): void {
    const chunk = new Uint8Array(frames * FRAME_BYTES);
    const view = new DataView(chunk.buffer);
    for (let at = 0; at < chunk.length; at += FRAME_BYTES) view.setUint32(at, ++this.#said);
    this.queue.push(chunk, track);
  }

  /** The next frame, or one without sound, as the end of a stream is. */
  send(stream: SendStream): void {
    const frame = this.queue.shift() ?? this.queue.make();
    this.away.add(frame);
    stream.append(frame);
  }

  written(frame: OutgoingFrame): void {
    assert.ok(this.away.delete(frame), "a frame came back twice");
    this.queue.keep(frame);
  }

  dropped(frame: OutgoingFrame): void {
    this.written(frame);
  }

  recalled(frame: OutgoingFrame): void {
    this.written(frame);
  }
}

describe("frames of several calls on one stream", () => {
  it("come back once each, and are heard whole and in order, also where some are cut, recalled or moved", async () => {
    const step = fc.record({
      what: fc.constantFrom("say", "say", "send", "send", "send", "flush", "recall", "cut", "move"),
      call: fc.nat(CALLS - 1),
      count: fc.integer({ min: 1, max: 3 }),
      isFirst: fc.boolean(),
      takes: fc.boolean(),
    });
    const steps = fc.array(step, { minLength: 1, maxLength: 200, size: "max" });
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const farEnd = new FarEnd();
        const [writes, frames] = [new ByteRoom(4_096), new ByteRoom(1_024)];
        const speakers = Array.from({ length: CALLS }, (_, i) => new Speaker(`call ${i}`, frames));
        let stream = farEnd.open(writes);
        await settle();
        for (const { what, call, count, isFirst, takes } of steps) {
          const speaker = speakers[call]!;
          const track = speaker.tracks[isFirst ? 0 : 1];
          if (what === "say") speaker.say(count, track);
          else if (what === "send") speaker.send(stream);
          else if (what === "recall") stream.recall(speaker);
          else if (what === "cut") speaker.queue.cut(track);
          else if (what === "flush") {
            farEnd.takes = takes;
            stream.flush();
          } else {
            const waiting = stream.take();
            assert.equal(stream.isEmpty, true);
            stream = farEnd.open(writes);
            for (const frame of waiting) stream.append(frame);
            if (isFirst) await settle();
          }
        }
        farEnd.takes = true;
        await settle();
        stream.flush();
        for (const { callSid, away } of speakers) {
          assert.equal(away.size, 0, "a frame did not come back");
          const heard = farEnd.heard.get(callSid) ?? [];
          assertRising(heard.map(({ number }) => number));
          assertRising(heard.map(({ sound }) => sound).filter((sound) => sound > 0));
        }
      }),
      { seed, numRuns: 100 },
    );
  });
});

function assertRising(numbers: readonly number[]): void {
  for (const [i, number] of numbers.entries()) {
    assert.ok(i === 0 || number > numbers[i - 1]!, `not in order: ${numbers}`);
  }
}
