import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DropOldestQueue, streamOf } from "../../../src/base/drop_oldest.ts";

async function readAll<T>(readable: ReadableStream<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of readable) values.push(value);
  return values;
}

function read(queue: DropOldestQueue<number>): ReadableStream<number> {
  return streamOf(queue, { convert: (value) => value, taken: () => new Error("taken") });
}

describe("DropOldestQueue", () => {
  it("gives what was pushed before and after its reader came, in order, then ends", async () => {
    const frames = new DropOldestQueue<number>(10);
    frames.push(1);
    frames.push(2);
    const reading = readAll(read(frames));
    await Promise.resolve();
    frames.push(3);
    frames.end();
    frames.push(4);
    assert.deepEqual(await reading, [1, 2, 3]);
    assert.equal(frames.ended, true);
  });

  it("serves several reads that wait", async () => {
    const frames = new DropOldestQueue<number>(10);
    const reader = read(frames).getReader();
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

  it("drops the oldest when its reader is late, and counts them", async () => {
    const frames = new DropOldestQueue<number>(3);
    for (let value = 0; value < 8; value++) frames.push(value);
    frames.end();
    assert.equal(frames.dropped, 5);
    assert.deepEqual(await readAll(read(frames)), [5, 6, 7]);
  });

  it("gives nothing to a reader that was released while it took a value, and its end to it once", () => {
    const taken: unknown[] = [];
    const frames = new DropOldestQueue<number>(10);
    for (const value of [1, 2, 3]) frames.push(value);
    const first = {
      isReady: true,
      take(value: number) {
        taken.push(value);
        frames.release(first);
      },
      end: () => void taken.push("end"),
    };
    frames.claim(first);
    frames.give();
    assert.deepEqual(taken, [1]);
    const rest: unknown[] = [];
    const second = {
      isReady: true,
      take(value: number) {
        rest.push(value);
        if (value === 3) frames.end();
      },
      end: () => void rest.push("end"),
    };
    frames.claim(second);
    frames.give();
    assert.deepEqual(rest, [2, 3, "end"]);
  });

  it("fails its reader with the error it ended with, after what waited", async () => {
    const frames = new DropOldestQueue<number>(3);
    frames.push(1);
    frames.end(new Error("session lost"));
    frames.end();
    const reader = read(frames).getReader();
    assert.deepEqual(await reader.read(), { value: 1, done: false });
    await assert.rejects(reader.read(), /session lost/);
  });

  it("takes nothing more when its reader has left, with a read under way or not", async () => {
    const frames = new DropOldestQueue<number>(3);
    const reader = read(frames).getReader();
    const reading = reader.read();
    await Promise.resolve();
    await reader.cancel();
    assert.deepEqual(await reading, { value: undefined, done: true });
    frames.push(1);
    frames.end(new Error("too late"));
    assert.equal(frames.ended, true);
    assert.equal(frames.dropped, 0);
    await reader.closed;
  });

  it("belongs to the stream that is read first, and the other one says so", async () => {
    const frames = new DropOldestQueue<number>(3);
    const [first, second] = [read(frames), read(frames)].map((stream) => stream.getReader());
    frames.push(1);
    frames.push(2);
    assert.deepEqual(await first!.read(), { value: 1, done: false });
    await assert.rejects(second!.read(), /taken/);
    assert.deepEqual(await first!.read(), { value: 2, done: false });
  });

  it("gives what waits to a reader without a stream, then each value in its turn, and goes back to the streams", async () => {
    const frames = new DropOldestQueue<number>(3);
    const stream = read(frames);
    const taken: (number | string)[] = [];
    const reader = {
      isReady: true,
      take: (value: number) => void taken.push(value),
      end: () => void taken.push("end"),
    };
    frames.push(1);
    assert.equal(frames.claim(reader), true);
    frames.give();
    frames.push(2);
    assert.deepEqual(taken, [1, 2]);
    frames.release(reader);
    frames.push(3);
    assert.deepEqual(await stream.getReader().read(), { value: 3, done: false });
    assert.deepEqual(taken, [1, 2]);
  });
});
