import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReceivedFrame } from "../../../../mod.ts";
import { Pacer } from "../../../../src/client/audio/pacer.ts";
import { IncomingAudio } from "../../../../src/client/audio/receive.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

const SID = "5b8f2c1e-8c7b-4f0a-9c55-0d3a6a1f2b3c";

/** Frames of a call that come in one buffer, which the next ones are read into. */
function incoming(jitterBufferMs?: number) {
  const clock = new FakeClock();
  let ends = 0;
  const audio = new IncomingAudio({
    ...{ callSid: SID, clock, pacer: new Pacer({ clock, onTicked() {} }), sampleRate: 8_000 },
    ...{ jitterBufferMs, capacity: 100, endsWithFrame: true, onEnd: () => ends++ },
  });
  const payload = new Uint8Array(160);
  let sequenceNumber = 0;
  const say = (sound: number, endOfStream = false): void => {
    payload.fill(sound);
    const frame = { callSid: SID, payload, codec: "PCMU", endOfStream };
    audio.accept({ ...frame, sequenceNumber: sequenceNumber++ }, clock.monotonic(), undefined);
  };
  return { audio, clock, payload, say, ends: () => ends };
}

describe("IncomingAudio", () => {
  it("lends a receiver the payload as it lies in what was read, and copies what waits", async () => {
    const { audio, payload, say } = incoming();
    say(1);
    const heard: number[] = [];
    const taken: ReceivedFrame[] = [];
    const stop = audio.receive({
      take(frame) {
        taken.push(frame);
        heard.push(frame.payload[0]!);
      },
      end() {},
    });
    say(2);
    stop();
    say(3);
    payload.fill(9);
    const { value } = await audio.readable.getReader().read();
    assert.deepEqual(heard, [1, 2]);
    assert.deepEqual(taken.map((frame) => frame.payload === payload), [false, true]);
    assert.equal(value?.payload[0], 3);
  });

  it("copies what waits for its slot, also for a receiver", async () => {
    const { audio, clock, payload, say } = incoming(40);
    const heard: number[] = [];
    audio.receive({ take: ({ payload }) => heard.push(payload[0]!), end() {} });
    for (const sound of [1, 2, 3]) {
      say(sound);
      await clock.advance(20);
    }
    payload.fill(9);
    await clock.advance(60);
    assert.deepEqual(heard.slice(0, 3), [1, 2, 3]);
  });

  for (const jitterBufferMs of [undefined, 40]) {
    const how = jitterBufferMs === undefined ? "as it arrives" : "in its slot";
    it(`ends with the frame that says so, ${how}, for a receiver and for the link`, async () => {
      const { audio, clock, say, ends } = incoming(jitterBufferMs);
      const heard: unknown[] = [];
      audio.receive({
        take: ({ payload }) => heard.push(payload[0]),
        end: (error) => heard.push(error ?? "end"),
      });
      say(1);
      say(2, true);
      await clock.advance(200);
      say(3);
      assert.deepEqual(heard, [1, 2, "end"]);
      assert.equal(audio.ended, true);
      assert.equal(ends(), 1);
    });
  }

  it("calls a receiver's end once, also where it ends the link while it takes what waited", () => {
    const { audio, say } = incoming();
    say(1);
    say(2);
    const heard: unknown[] = [];
    audio.receive({
      take({ payload }) {
        heard.push(payload[0]);
        if (payload[0] === 2) audio.end();
      },
      end: (error) => heard.push(error ?? "end"),
    });
    assert.deepEqual(heard, [1, 2, "end"]);
  });
});
