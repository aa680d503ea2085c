import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodePcmu,
  encodePcma,
  encodePcmu,
  pcm16Bytes,
  pcm16Samples,
} from "../../../../src/audio/mod.ts";
import { Mixer } from "../../../../src/gateway/call/mixer.ts";
import { Ticker } from "../../../../src/gateway/call/ticker.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

function open() {
  const clock = new FakeClock();
  const said: Uint8Array[] = [];
  const blend = new Mixer({ ticker: new Ticker(clock), say: (payload) => void said.push(payload) });
  return { clock, said, blend };
}

const pcmu = (value: number) => encodePcmu(new Int16Array(160).fill(value));
const near = (actual: number | undefined, expected: number) =>
  assert.ok(
    Math.abs(actual! - expected) <= Math.abs(expected) / 16 + 20,
    `${actual} is not ${expected}`,
  );

describe("Mixer", () => {
  it("hands the first speaker's bytes on untouched while the second is silent", () => {
    const { blend } = open();
    const payload = pcmu(1_000);
    assert.equal(blend.mix(payload, "PCMU"), payload);
    assert.equal(blend.mix(payload, "OPUS"), payload);
  });

  it("adds the second speaker's samples, in every pair of codecs, and does not overflow", async () => {
    const { blend } = open();
    blend.add(encodePcma(new Int16Array(160).fill(2_000)), "PCMA");
    near(decodePcmu(blend.mix(pcmu(1_000), "PCMU"))[80], 3_000);
    blend.add(pcmu(30_000), "PCMU");
    near(decodePcmu(blend.mix(pcmu(30_000), "PCMU"))[80], 32_124);
    blend.add(pcmu(-30_000), "PCMU");
    near(decodePcmu(blend.mix(pcmu(-30_000), "PCMU"))[80], -32_124);
    for (let i = 0; i < 4; i++) {
      blend.add(pcm16Bytes(new Int16Array(320).fill(2_000)), "PCM16");
      const mixed = decodePcmu(blend.mix(pcmu(1_000), "PCMU"));
      if (i > 1) near(mixed[80], 3_000);
    }
    for (let i = 0; i < 4; i++) {
      blend.add(pcmu(2_000), "PCMU");
      const mixed = pcm16Samples(blend.mix(pcm16Bytes(new Int16Array(320).fill(1_000)), "PCM16"));
      if (i > 1) near(mixed[160], 3_000);
    }
    await Promise.resolve();
  });

  it("lets the second speak alone in ticks in which the first says nothing, and then rests", async () => {
    const { blend, said, clock } = open();
    for (let i = 0; i < 3; i++) blend.add(pcmu(1_000 * (i + 1)), "PCMU");
    await clock.advance(100);
    assert.deepEqual(said.map((payload) => Math.round(decodePcmu(payload)[0]! / 1_000)), [1, 2, 3]);
    assert.equal(clock.pending, 0);
  });

  it("drops the oldest of a second speaker who is ahead by a quarter of a second", async () => {
    const { blend, said, clock } = open();
    for (let i = 0; i < 40; i++) blend.add(pcmu(100 * i), "PCMU");
    await clock.advance(1_000);
    assert.equal(said.length, 12);
    near(decodePcmu(said.at(-1)!)[0], 3_900);
  });

  it("drops what is not whole samples and what it cannot decode, and everything when it is closed", async () => {
    const { blend, said, clock } = open();
    blend.add(new Uint8Array(3), "PCM16");
    blend.add(pcmu(1), "OPUS");
    assert.equal(clock.pending, 0);
    const odd = new Uint8Array(3);
    blend.add(pcmu(1), "PCMU");
    blend.add(pcmu(1), "PCMU");
    assert.equal(blend.mix(odd, "PCM16"), odd);
    blend.close();
    await clock.advance(100);
    assert.equal(said.length, 0);
  });
});
