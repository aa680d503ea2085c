import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodePcmu } from "../../../../src/audio/mod.ts";
import { createRandom } from "../../../../src/base/random.ts";
import { createFarEnd, type FarEnd, type Speech } from "../../../../src/gateway/call/far_end.ts";
import { Ticker } from "../../../../src/gateway/call/ticker.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

interface Phone {
  readonly farEnd: FarEnd;
  readonly said: Speech[];
  readonly clock: FakeClock;
  lost: number;
}

function phone(media: "echo" | "tone" | "lossy echo", seed = 1): Phone {
  const clock = new FakeClock();
  const said: Speech[] = [];
  let next = 0;
  const phone: Phone = {
    clock,
    said,
    lost: 0,
    farEnd: createFarEnd({
      media,
      random: createRandom(seed),
      ticker: new Ticker(clock),
      allocate: () => next++,
      say: (speech) => void said.push(speech),
      lost: () => void phone.lost++,
    }),
  };
  return phone;
}

describe("createFarEnd()", () => {
  it("echoes every packet, byte for byte, with numbers of its own", () => {
    const { farEnd, said } = phone("echo");
    const payload = new Uint8Array([1, 2, 3]);
    farEnd.hear(payload, "PCMA");
    farEnd.hear(payload, "PCM16");
    assert.deepEqual(said, [
      { payload, codec: "PCMA", sequenceNumber: 0 },
      { payload, codec: "PCM16", sequenceNumber: 1 },
    ]);
  });

  it("plays 440 Hz as PCMU, 50 frames a second, without a seam between frames", async () => {
    const { farEnd, said, clock } = phone("tone");
    farEnd.hear(new Uint8Array(160), "PCMU");
    await clock.advance(980);
    assert.equal(said.length, 50);
    assert.deepEqual(said.map(({ sequenceNumber }) => sequenceNumber), [...said.keys()]);
    assert.ok(said.every(({ codec, payload }) => codec === "PCMU" && payload.length === 160));
    const samples = said.flatMap(({ payload }) => [...decodePcmu(payload)]);
    const rises = samples.filter((sample, i) => i > 0 && samples[i - 1]! < 0 && sample >= 0).length;
    assert.ok(Math.abs(rises - 440) <= 1, `${rises} periods in a second`);
    // A step between samples is never larger than the steepest of the sine, plus quantisation.
    const peak = Math.max(...samples);
    const steepest = 2 * Math.PI * 440 / 8_000 * peak;
    for (let i = 1; i < samples.length; i++) {
      assert.ok(Math.abs(samples[i]! - samples[i - 1]!) < steepest + 1_200, `at sample ${i}`);
    }
  });

  it("is hushed", async () => {
    const { farEnd, said, clock } = phone("tone");
    await clock.advance(40);
    farEnd.hush();
    assert.equal(clock.pending, 0);
    await clock.advance(1_000);
    assert.equal(said.length, 3);
  });

  it("loses every tenth packet and swaps some with the one behind, the same ones for a seed", () => {
    const run = (seed: number) => {
      const { farEnd, said } = phone("lossy echo", seed);
      for (let i = 0; i < 1_000; i++) farEnd.hear(new Uint8Array([i & 255, i >> 8]), "PCMU");
      farEnd.close();
      return said;
    };
    const said = run(5);
    const numbers = said.map(({ sequenceNumber }) => sequenceNumber);
    assert.equal(numbers.length, 900);
    assert.ok(numbers.every((number) => number % 10 !== 9));
    assert.equal(new Set(numbers).size, 900);
    for (const { payload, sequenceNumber } of said) {
      assert.deepEqual([...payload], [sequenceNumber & 255, sequenceNumber >> 8]);
    }
    const swaps = numbers.filter((number, i) => i > 0 && number < numbers[i - 1]!).length;
    assert.ok(swaps > 40 && swaps < 160, `${swaps} swaps`);
    assert.deepEqual(run(5), said);
    assert.notDeepEqual(run(6), said);
  });

  it("holds no packet back for one that is lost", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { farEnd, said } = phone("lossy echo", seed);
      for (let i = 0; i < 10; i++) farEnd.hear(new Uint8Array(1), "PCMU");
      assert.equal(said.length, 9, `seed ${seed}`);
    }
  });

  it("reports each packet that was lost", () => {
    const line = phone("lossy echo");
    for (let i = 0; i < 100; i++) line.farEnd.hear(new Uint8Array(1), "PCMU");
    assert.equal(line.lost, 10);
  });
});
