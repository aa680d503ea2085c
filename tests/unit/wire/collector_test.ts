import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Collector } from "../../../src/wire/collector.ts";

describe("Collector", () => {
  it("takes the missing bytes and returns the offset in the chunk at which it stopped", () => {
    const collector = new Collector(5);
    assert.equal(collector.add(Uint8Array.of(1, 2), 0), 2);
    assert.equal(collector.add(new Uint8Array(0), 0), 0);
    assert.equal(collector.add(Uint8Array.of(9, 3, 4, 5, 6, 7), 1), 4);
    assert.deepEqual([...collector.bytes], [1, 2, 3, 4, 5]);
    assert.equal(collector.filled, 5);
    assert.equal(collector.add(Uint8Array.of(8), 0), 0);
    assert.deepEqual([...collector.bytes], [1, 2, 3, 4, 5]);
  });

  it("continues when the total turns out larger", () => {
    const collector = new Collector(2);
    assert.equal(collector.add(Uint8Array.of(1, 2, 3), 0), 2);
    collector.total = 4;
    assert.equal(collector.add(Uint8Array.of(1, 2, 3), 2), 3);
    assert.equal(collector.add(Uint8Array.of(4, 5), 0), 1);
    assert.deepEqual([...collector.bytes.subarray(0, collector.filled)], [1, 2, 3, 4]);
  });

  it("allocates exactly the total up to 4 KiB, and beyond it grows with the bytes that arrive", () => {
    assert.equal(new Collector(1000).bytes.length, 1000);
    assert.equal(new Collector(4_096).bytes.length, 4_096);
    const large = new Collector(1_000_000);
    const sizes = new Set<number>();
    const chunk = new Uint8Array(1000).fill(7);
    while (large.filled < large.total) {
      large.add(chunk, 0);
      sizes.add(large.bytes.length);
      assert.ok(large.bytes.length <= 2 * large.filled + 65_536);
    }
    assert.deepEqual([...sizes], [4_096, 75_536, 217_536, 501_536, 1_000_000]);
    assert.ok(large.bytes.every((byte) => byte === 7));
  });

  it("allocates at most 4 KiB for a peer that has sent less, when the total turns out larger", () => {
    const collector = new Collector(6);
    collector.add(new Uint8Array(6), 0);
    collector.total = 1_000_000;
    collector.add(Uint8Array.of(7), 0);
    assert.equal(collector.bytes.length, 4_096);
    assert.equal(collector.bytes[6], 7);
  });
});
