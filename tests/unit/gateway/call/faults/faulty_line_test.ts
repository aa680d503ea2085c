import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "../../../../../src/base/random.ts";
import type { Faults } from "../../../../../src/gateway/call/faults/faults.ts";
import { FaultyLine } from "../../../../../src/gateway/call/faults/faulty_line.ts";
import { FakeClock } from "../../../../../src/testing/mod.ts";

interface Line {
  readonly line: FaultyLine;
  readonly clock: FakeClock;
  readonly arrived: { readonly packet: number; readonly atMs: number }[];
  lost: number;
  push(packet: number, faults?: Faults): void;
}

function lineOf(seed = 1): Line {
  const clock = new FakeClock();
  const made: Line = {
    clock,
    arrived: [],
    lost: 0,
    line: new FaultyLine({ clock, random: createRandom(seed), onLost: () => void made.lost++ }),
    push: (packet, faults) =>
      made.line.push(
        () => void made.arrived.push({ packet, atMs: clock.monotonic() }),
        faults,
      ),
  };
  return made;
}

const numbersOf = ({ arrived }: Line): number[] => arrived.map(({ packet }) => packet);

describe("FaultyLine", () => {
  it("delivers at once without faults", () => {
    const line = lineOf();
    for (let i = 0; i < 5; i++) line.push(i);
    assert.deepEqual(numbersOf(line), [0, 1, 2, 3, 4]);
    assert.equal(line.clock.pending, 0);
  });

  it("loses so many of a hundred, the same ones for a seed", () => {
    const run = (seed: number) => {
      const line = lineOf(seed);
      for (let i = 0; i < 10_000; i++) line.push(i, { lossPercent: 12 });
      assert.equal(line.arrived.length + line.lost, 10_000);
      assert.ok(Math.abs(line.lost - 1_200) < 120, `${line.lost} of 10,000`);
      return numbersOf(line);
    };
    assert.deepEqual(run(3), run(3));
    assert.notDeepEqual(run(3), run(4));
  });

  it("loses all of them, or none", () => {
    const line = lineOf();
    for (let i = 0; i < 1_000; i++) line.push(i, { lossPercent: 100 });
    assert.deepEqual([line.arrived.length, line.lost], [0, 1_000]);
    for (let i = 0; i < 1_000; i++) line.push(i, { lossPercent: 0 });
    assert.equal(line.arrived.length, 1_000);
  });

  it("brings so many of a hundred twice", () => {
    const line = lineOf();
    for (let i = 0; i < 10_000; i++) line.push(i, { duplicatePercent: 30 });
    const twice = line.arrived.length - 10_000;
    assert.ok(Math.abs(twice - 3_000) < 200, `${twice} of 10,000`);
  });

  it("delays every packet, and some more than others, in their order", async () => {
    const line = lineOf();
    for (let i = 0; i < 200; i++) {
      line.push(i, { delayMs: 100, jitterMs: 60 });
      await line.clock.advance(20);
    }
    await line.clock.advance(200);
    assert.deepEqual(numbersOf(line), [...Array(200).keys()]);
    const delays = line.arrived.map(({ packet, atMs }) => atMs - packet * 20);
    assert.ok(delays.every((delay) => delay >= 100 && delay < 161), `${Math.max(...delays)}`);
    assert.ok(new Set(delays.map(Math.round)).size > 20);
    assert.equal(line.clock.pending, 0);
  });

  it("keeps the order when faults are lifted while packets wait", async () => {
    const line = lineOf();
    line.push(0, { delayMs: 50 });
    line.push(1);
    assert.deepEqual(numbersOf(line), []);
    await line.clock.advance(50);
    assert.deepEqual(numbersOf(line), [0, 1]);
  });

  it("gives up what waits, or delivers it at once, and leaves no timer", () => {
    const line = lineOf();
    line.push(0, { delayMs: 1_000 });
    line.push(1, { delayMs: 1_000 });
    line.line.flush();
    assert.deepEqual(numbersOf(line), [0, 1]);
    line.push(2, { delayMs: 1_000 });
    line.line.clear();
    assert.equal(line.clock.pending, 0);
    assert.equal(line.arrived.length, 2);
  });

  it("holds at most 2,000 packets", () => {
    const line = lineOf();
    for (let i = 0; i < 3_000; i++) line.push(i, { delayMs: 5_000 });
    assert.equal(line.lost, 1_000);
  });
});
