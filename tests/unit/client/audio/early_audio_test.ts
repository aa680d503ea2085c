import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EarlyAudio } from "../../../../src/client/audio/early_audio.ts";

function frame(callSid: string, sequenceNumber: number, bytes = 160) {
  const payload = new Uint8Array(bytes).fill(sequenceNumber);
  return { callSid, codec: "PCMU", payload, sequenceNumber, endOfStream: false };
}

describe("EarlyAudio", () => {
  it("keeps the newest second of a call, copied, and counts the rest", () => {
    const early = new EarlyAudio();
    const reused = frame("a", 0);
    early.keep(reused, 0, undefined);
    reused.payload.fill(99);
    for (let number = 1; number < 60; number++) early.keep(frame("a", number), number * 20, "one");
    const kept = early.take("a");
    assert.deepEqual(
      kept.map(({ frame }) => frame.sequenceNumber),
      [...Array(50)].map((_, i) => i + 10),
    );
    assert.equal(kept[0]!.now, 200);
    assert.equal(kept[0]!.session, "one");
    assert.ok(kept.every(({ frame }) => frame.payload[0] === frame.sequenceNumber));
    assert.equal(early.dropped, 10);
    assert.deepEqual(early.take("a"), []);
  });

  it("keeps no more than a second's bytes of a call, however long its frames are", () => {
    const early = new EarlyAudio();
    for (let number = 0; number < 4; number++) early.keep(frame("a", number, 20_000), 0, undefined);
    assert.equal(early.take("a").length, 1);
    early.keep(frame("a", 0, 60_000), 0, undefined);
    assert.equal(early.take("a").length, 0);
  });

  it("keeps 64 calls, and one more when another has been silent for ten seconds", () => {
    const early = new EarlyAudio();
    for (let call = 0; call < 65; call++) early.keep(frame(`${call}`, 0), 0, undefined);
    assert.equal(early.dropped, 1);
    assert.equal(early.take("64").length, 0);
    early.keep(frame("64", 1), 10_000, undefined);
    assert.equal(early.take("64").length, 1);
    assert.equal(early.take("0").length, 0);
    assert.equal(early.take("1").length, 1);
  });

  it("keeps nothing of a call whose link was closed, until the call is over", () => {
    const early = new EarlyAudio();
    early.refuse("a");
    early.keep(frame("a", 0), 0, undefined);
    assert.equal(early.dropped, 1);
    early.forget("a");
    early.keep(frame("a", 0), 0, undefined);
    assert.equal(early.take("a").length, 1);
  });
});
