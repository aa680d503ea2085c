import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Arrivals } from "../../../../src/transport/http3/arrivals.ts";
import { settle } from "../../../../src/testing/mod.ts";

/** Arrivals of numbers, of which the odd ones are turned away. */
function open() {
  let source!: ReadableStreamDefaultController<number>;
  let cancelled = false;
  const arrivals = new Arrivals(
    new ReadableStream<number>({
      start: (controller) => void (source = controller),
      cancel: () => void (cancelled = true),
    }),
    (number) => Promise.resolve(number % 2 === 0 ? number : undefined),
  );
  return { arrivals, source, isCancelled: () => cancelled };
}

function taker() {
  const said: (number | "end")[] = [];
  const take = (number: number): void => void said.push(number);
  return { said, take, end: () => void said.push("end") };
}

describe("Arrivals", () => {
  it("gives a taker what came before it, then each as it comes, then the end", async () => {
    const { arrivals, source } = open();
    for (const number of [1, 2, 3, 4]) source.enqueue(number);
    await settle();
    const { said, ...rest } = taker();
    arrivals.give(rest);
    assert.deepEqual(said, [2]);
    await settle();
    assert.deepEqual(said, [2, 4]);
    source.enqueue(6);
    await settle();
    source.close();
    await settle();
    assert.deepEqual(said, [2, 4, 6, "end"]);
  });

  it("leaves the rest with the source while its taker is busy, from the first one on", async () => {
    let asked = 0;
    const arrivals = new Arrivals(
      new ReadableStream<number>({
        pull: (controller) => controller.enqueue(++asked),
      }, { highWaterMark: 0 }),
      (number) => Promise.resolve(number > 2 ? number : undefined),
    );
    await settle();
    const before = asked;
    assert.ok(before >= 3 && before < 10, `${before} were asked for`);
    const free: (() => void)[] = [];
    const taken: number[] = [];
    arrivals.give({
      take(number) {
        taken.push(number);
        return new Promise((resolve) => free.push(resolve));
      },
      end() {},
    });
    await settle();
    assert.deepEqual(taken, [3]);
    assert.equal(asked, before);
    for (let i = 0; i < before; i++) {
      free.at(-1)!();
      await settle();
    }
    assert.deepEqual(taken, Array.from({ length: before + 1 }, (_, i) => 3 + i));
    assert.ok(asked > before && asked <= before + 10, `${asked} were asked for`);
  });

  it("reports the end to a taker that comes after it", async () => {
    const { arrivals, source } = open();
    source.enqueue(2);
    await settle();
    source.error(new Error("the connection is lost"));
    await settle();
    const { said, ...rest } = taker();
    arrivals.give(rest);
    assert.deepEqual(said, [2, "end"]);
  });

  it("serves two reads at once", async () => {
    const { arrivals, source } = open();
    const reader = arrivals.stream.getReader();
    const values: (number | undefined)[] = [];
    for (let i = 0; i < 4; i++) void reader.read().then(({ value }) => values.push(value));
    for (const number of [2, 4, 6, 8]) source.enqueue(number);
    await settle();
    assert.deepEqual(values, [2, 4, 6, 8]);
  });

  it("gives the same through a stream, and stops when that is cancelled", async () => {
    const { arrivals, source, isCancelled } = open();
    source.enqueue(2);
    assert.equal(arrivals.stream, arrivals.stream);
    const reader = arrivals.stream.getReader();
    assert.deepEqual(await reader.read(), { value: 2, done: false });
    await reader.cancel();
    assert.equal(isCancelled(), true);
  });
});
