import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fault } from "../../../src/wire/fault.ts";
import { Writer } from "../../../src/wire/writer.ts";

describe("Writer", () => {
  it("keeps what was written when it grows", () => {
    const writer = new Writer();
    const [first, second] = [writer.take(3), writer.take(2)];
    assert.deepEqual([first, second, writer.at], [0, 3, 5]);
    writer.bytes.set([1, 2, 3, 4, 5]);
    assert.equal(writer.take(10_000), 5);
    assert.deepEqual([...writer.bytes.subarray(0, 6)], [1, 2, 3, 4, 5, 0]);
    assert.ok(writer.bytes.length >= 10_005);
  });

  it("doubles its buffer, or makes it as large as is asked for", () => {
    const writer = new Writer();
    const size = writer.bytes.length;
    writer.take(size);
    assert.equal(writer.bytes.length, size);
    writer.take(1);
    assert.equal(writer.bytes.length, 2 * size);
    writer.take(10 * size);
    assert.equal(writer.bytes.length, 11 * size + 1);
  });

  it("keeps a buffer of 64 KiB for the next message, and none larger", () => {
    const writer = new Writer();
    writer.take(65_536);
    writer.rewind(0);
    assert.equal(writer.bytes.length, 65_536);
    writer.take(65_537);
    writer.rewind(0);
    assert.equal(writer.bytes.length, new Writer().bytes.length);
  });

  it("releases a large buffer when everything is discarded, and only then", () => {
    const writer = new Writer();
    const small = writer.bytes.length;
    writer.take(10);
    writer.take(200_000);
    writer.rewind(10);
    assert.ok(writer.bytes.length >= 200_010);
    assert.equal(writer.at, 10);
    writer.rewind(0);
    assert.equal(writer.bytes.length, small);
    writer.take(60_000);
    writer.rewind(0);
    assert.ok(writer.bytes.length >= 60_000);
  });

  it("refuses a size above int32 before it allocates a buffer", () => {
    const writer = new Writer();
    assert.throws(() => writer.take(2 ** 31), (fault) => fault instanceof Fault);
    assert.equal(writer.at, 0);
  });
});
