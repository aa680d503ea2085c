import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ByteReader } from "../../../../src/transport/http3/byte_reader.ts";

function byteStream(chunks: readonly number[][]): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const chunk = left.shift();
      if (chunk !== undefined) return controller.enqueue(Uint8Array.from(chunk));
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

function plainStream(chunks: readonly number[][]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => Uint8Array.from(chunk)));
}

const kinds = { "a byte stream": byteStream, "any other stream": plainStream };

describe("ByteReader", () => {
  for (const [name, open] of Object.entries(kinds)) {
    for (const reuse of [false, true]) {
      it(`reads ${name} to its end, ${reuse ? "into one buffer" : "each read on its own"}`, async () => {
        const reader = new ByteReader(open([[1, 2], [3], [4, 5, 6]]), { bufferBytes: 4, reuse });
        const read: number[] = [];
        for (let next = await reader.read(); !next.done; next = await reader.read()) {
          read.push(...next.value);
        }
        assert.deepEqual(read, [1, 2, 3, 4, 5, 6]);
        await reader.closed;
      });
    }
  }

  it("brings no more than its buffer holds at a time, and loses nothing", async () => {
    const reader = new ByteReader(byteStream([[1, 2, 3, 4, 5]]), { bufferBytes: 2 });
    const sizes: number[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      sizes.push(next.value.length);
    }
    assert.deepEqual(sizes, [2, 2, 1]);
  });

  it("reads into the same memory again only on request", async () => {
    for (const [reuse, buffers] of [[true, 1], [false, 2]] as const) {
      const reader = new ByteReader(byteStream([[1], [2]]), { bufferBytes: 4, reuse });
      const first = await reader.read();
      const kept = first.value!;
      const second = await reader.read();
      // Memory that was given back is detached: so that another's bytes are not read by mistake.
      const distinct = kept.buffer.byteLength === 0 ? 1 : 2;
      assert.equal(distinct, buffers);
      assert.deepEqual([...second.value!], [2]);
    }
  });

  it("passes on failures and cancels", async () => {
    const failing = new ReadableStream<Uint8Array>({
      type: "bytes",
      pull: (controller) => controller.error(new Error("reset")),
    });
    const reader = new ByteReader(failing, { bufferBytes: 4, reuse: true });
    reader.closed.catch(() => {});
    await assert.rejects(reader.read(), /reset/);
    let reason: unknown;
    const stream = new ReadableStream<Uint8Array>({
      type: "bytes",
      cancel: (given) => void (reason = given),
    });
    const other = new ByteReader(stream, { bufferBytes: 4 });
    const waiting = other.read();
    await other.cancel("enough");
    assert.equal((await waiting).done, true);
    assert.equal(reason, "enough");
  });

  it("refuses a stream that is read elsewhere", () => {
    const stream = byteStream([[1]]);
    stream.getReader();
    assert.throws(() => new ByteReader(stream, { bufferBytes: 4 }), TypeError);
  });
});
