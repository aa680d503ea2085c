import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DropOldestStream } from "../../../../src/client/audio/drop_oldest.ts";

async function readAll<T>(readable: ReadableStream<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of readable) values.push(value);
  return values;
}

describe("DropOldestStream", () => {
  it("gives what was pushed before and after its reader came, in order, then ends", async () => {
    const frames = new DropOldestStream<number>(10);
    frames.push(1);
    frames.push(2);
    const reading = readAll(frames.readable);
    await Promise.resolve();
    frames.push(3);
    frames.end();
    frames.push(4);
    assert.deepEqual(await reading, [1, 2, 3]);
    assert.equal(frames.ended, true);
  });

  it("serves several reads that wait", async () => {
    const frames = new DropOldestStream<number>(10);
    const reader = frames.readable.getReader();
    const reads = [reader.read(), reader.read(), reader.read()];
    await Promise.resolve();
    frames.push(1);
    frames.push(2);
    frames.end();
    const results = await Promise.all(reads);
    assert.deepEqual(results.map(({ value, done }) => [value, done]), [
      [1, false],
      [2, false],
      [undefined, true],
    ]);
  });

  it("drops the oldest when its reader is behind, and counts them", async () => {
    const frames = new DropOldestStream<number>(3);
    for (let value = 0; value < 8; value++) frames.push(value);
    frames.end();
    assert.equal(frames.dropped, 5);
    assert.deepEqual(await readAll(frames.readable), [5, 6, 7]);
  });

  it("fails its reader with the error it ended with, after what waited", async () => {
    const frames = new DropOldestStream<number>(3);
    frames.push(1);
    frames.end(new Error("session lost"));
    frames.end();
    const reader = frames.readable.getReader();
    assert.deepEqual(await reader.read(), { value: 1, done: false });
    await assert.rejects(reader.read(), /session lost/);
  });

  it("takes nothing more when its reader has left, with a read under way or not", async () => {
    const frames = new DropOldestStream<number>(3);
    const reader = frames.readable.getReader();
    const read = reader.read();
    await Promise.resolve();
    await reader.cancel();
    assert.deepEqual(await read, { value: undefined, done: true });
    frames.push(1);
    frames.end(new Error("too late"));
    assert.equal(frames.ended, true);
    assert.equal(frames.dropped, 0);
    await reader.closed;
  });
});
