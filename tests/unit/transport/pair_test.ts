import { describe, it } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../src/base/bytes.ts";
import { TransportFault } from "../../../src/transport/fault.ts";
import {
  createPairTransport,
  createSessionPair,
  type SessionPairOptions,
} from "../../../src/transport/pair.ts";
import type { BidirectionalStream, IncomingSession } from "../../../src/transport/types.ts";
import { settle } from "../../../src/testing/mod.ts";
import { seed } from "../../support/seed.ts";

async function link(options: SessionPairOptions = {}) {
  const pair = createSessionPair(options);
  const near = await pair.client.createBidirectionalStream();
  const { value: far } = await pair.server.incomingBidirectionalStreams.getReader().read();
  return { ...pair, near, far: far as BidirectionalStream };
}

async function readAll(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
  }
  return concatBytes(chunks);
}

function fault(code: number): { name: string; source: string; streamErrorCode: number } {
  return { name: "WebTransportError", source: "stream", streamErrorCode: code };
}

const sessionFault = { name: "WebTransportError", source: "session", streamErrorCode: null };

/** Whether a promise is still pending after everything that is ready has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  promise.then(() => pending = false, () => pending = false);
  await settle();
  return pending;
}

describe("createSessionPair(): streams", () => {
  it("carries bytes both ways and ends each way with its own FIN", async () => {
    const { near, far } = await link();
    const writer = near.writable.getWriter();
    writer.write(Uint8Array.of(1, 2));
    writer.write(Uint8Array.of(3));
    writer.close();
    assert.deepEqual([...await readAll(far.readable)], [1, 2, 3]);
    const back = far.writable.getWriter();
    back.write(Uint8Array.of(4));
    back.close();
    assert.deepEqual([...await readAll(near.readable)], [4]);
  });

  it("carries streams that the accepting side opens, and one-way streams both ways", async () => {
    const { client, server } = createSessionPair();
    for (const [from, to] of [[client, server], [server, client]] as const) {
      const writer = (await from.createUnidirectionalStream()).getWriter();
      writer.write(Uint8Array.of(6));
      writer.close();
      const { value } = await to.incomingUnidirectionalStreams.getReader().read();
      assert.deepEqual([...await readAll(value!)], [6]);
    }
    const near = await server.createBidirectionalStream();
    near.writable.getWriter().write(Uint8Array.of(7));
    const { value } = await client.incomingBidirectionalStreams.getReader().read();
    assert.deepEqual([...(await value!.readable.getReader().read()).value!], [7]);
  });

  it("copies chunks: the writer may reuse its buffer at once", async () => {
    const { near, far } = await link();
    const scratch = Uint8Array.of(1, 2, 3);
    const writer = near.writable.getWriter();
    const written = writer.write(scratch.subarray(1));
    await written;
    scratch.fill(0);
    writer.close();
    const { value } = await far.readable.getReader().read();
    assert.deepEqual([...value!], [2, 3]);
    assert.notEqual(value!.buffer, scratch.buffer);
  });

  it("takes any view and any buffer, skips empty chunks, and refuses everything else", async () => {
    const { near, far } = await link();
    const writer = near.writable.getWriter();
    writer.write(new DataView(Uint8Array.of(9, 1, 9).buffer, 1, 1) as unknown as Uint8Array);
    writer.write(Uint8Array.of(2).buffer as unknown as Uint8Array);
    writer.write(new Uint8Array(0));
    writer.write(Uint8Array.of(3));
    const reader = far.readable.getReader();
    for (const byte of [1, 2, 3]) assert.deepEqual([...(await reader.read()).value!], [byte]);
    await assert.rejects(writer.write("text" as unknown as Uint8Array), TypeError);
  });

  it("makes writes wait for the reader from the high-water mark on", async () => {
    const { near, far } = await link({ highWaterMark: 10 });
    const writer = near.writable.getWriter();
    await writer.write(new Uint8Array(9));
    const full = writer.write(new Uint8Array(5));
    assert.equal(await isPending(full), true);
    assert.equal(writer.desiredSize, 0);
    await far.readable.getReader().read();
    await full;
    assert.equal(writer.desiredSize, 1);
  });

  it("reads nothing ahead of the reader", async () => {
    const { near, far } = await link({ highWaterMark: 1 });
    assert.equal(await isPending(near.writable.getWriter().write(Uint8Array.of(1))), true);
    await far.readable.getReader().read();
  });

  it("cuts chunks to chunkBytes", async () => {
    const { near, far } = await link({ chunkBytes: 2 });
    near.writable.getWriter().write(Uint8Array.of(1, 2, 3, 4, 5));
    const reader = far.readable.getReader();
    const sizes = [];
    for (let i = 0; i < 3; i++) sizes.push((await reader.read()).value!.length);
    assert.deepEqual(sizes, [2, 2, 1]);
  });

  it("keeps every byte in order, however it is written, cut and read", async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        chunks,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 50 }),
        async (parts, chunkBytes, highWaterMark) => {
          const { near, far } = await link({ chunkBytes, highWaterMark });
          const writing = (async () => {
            const writer = near.writable.getWriter();
            for (const part of parts) await writer.write(part);
            await writer.close();
          })();
          assert.deepEqual(await readAll(far.readable), concatBytes(parts));
          await writing;
        },
      ),
      { seed, numRuns: 200 },
    );
  });

  it("resets the reader on abort, with its code, and loses what is on its way", async () => {
    const { near, far } = await link();
    const writer = near.writable.getWriter();
    await writer.write(Uint8Array.of(1));
    await writer.abort({ streamErrorCode: 77 });
    await assert.rejects(far.readable.getReader().read(), fault(77));
  });

  it("resets at once, even behind a write that waits for the reader", async () => {
    const { near, far } = await link({ highWaterMark: 1 });
    const writer = near.writable.getWriter();
    const stuck = writer.write(Uint8Array.of(1));
    stuck.catch(() => {});
    await settle();
    await writer.abort(new Error("no code"));
    await assert.rejects(far.readable.getReader().read(), fault(0));
  });

  it("stops the writer on cancel, with its code, also one that waits", async () => {
    const { near, far } = await link({ highWaterMark: 4 });
    const writer = near.writable.getWriter();
    const stuck = writer.write(new Uint8Array(4));
    await settle();
    await far.readable.cancel({ streamErrorCode: 5 });
    await stuck;
    await assert.rejects(writer.write(Uint8Array.of(1)), fault(5));
    await assert.rejects(writer.closed, fault(5));
  });

  it("leaves the other direction alone when one is given up", async () => {
    const { near, far } = await link();
    await near.writable.abort();
    const writer = far.writable.getWriter();
    writer.write(Uint8Array.of(8));
    writer.close();
    assert.deepEqual([...await readAll(near.readable)], [8]);
  });
});

describe("createSessionPair(): stream credit", () => {
  it("refuses a stream above the limit at once, each kind for itself", async () => {
    const { client } = createSessionPair({ maxStreams: 2 });
    await client.createBidirectionalStream();
    await client.createBidirectionalStream();
    await assert.rejects(client.createBidirectionalStream(), RangeError);
    await client.createUnidirectionalStream();
    await client.createUnidirectionalStream();
    await assert.rejects(client.createUnidirectionalStream(), RangeError);
  });

  it("returns credit when both directions are read to their FIN, not before", async () => {
    const { client, near, far } = await link({ maxStreams: 1 });
    await near.writable.close();
    await far.writable.close();
    await readAll(near.readable);
    await assert.rejects(client.createBidirectionalStream(), RangeError);
    await readAll(far.readable);
    await client.createBidirectionalStream();
  });

  it("returns credit when directions are aborted and cancelled", async () => {
    const { client, near, far } = await link({ maxStreams: 1 });
    await near.writable.abort();
    await assert.rejects(client.createBidirectionalStream(), RangeError);
    await near.readable.cancel();
    await client.createBidirectionalStream();
    await assert.rejects(far.writable.getWriter().closed, fault(0));
  });

  it("has room for ten thousand streams one after another", async () => {
    const { client, server } = createSessionPair();
    const incoming = server.incomingUnidirectionalStreams.getReader();
    for (let i = 0; i < 10_000; i++) {
      (await client.createUnidirectionalStream()).close();
      const { value } = await incoming.read();
      await readAll(value!);
    }
  });
});

describe("createSessionPair(): the end of a session", () => {
  it("settles closed on both sides with code and reason, for the side that closes", async () => {
    for (const side of ["client", "server"] as const) {
      const pair = createSessionPair();
      pair[side].close({ closeCode: 4321, reason: "bye" });
      pair[side].close({ closeCode: 1 });
      assert.deepEqual(await pair.client.closed, { closeCode: 4321, reason: "bye" });
      assert.deepEqual(await pair.server.closed, { closeCode: 4321, reason: "bye" });
    }
  });

  it("loses what was written and not yet read", async () => {
    const { client, near, far } = await link();
    const writer = near.writable.getWriter();
    await writer.write(Uint8Array.of(1));
    client.close();
    await assert.rejects(far.readable.getReader().read(), sessionFault);
    await assert.rejects(writer.write(Uint8Array.of(2)), sessionFault);
    await assert.rejects(far.writable.getWriter().closed, sessionFault);
    await assert.rejects(near.readable.getReader().read(), sessionFault);
  });

  it("frees a write that waits", async () => {
    const { server, near } = await link({ highWaterMark: 1 });
    const writer = near.writable.getWriter();
    const stuck = writer.write(Uint8Array.of(1));
    assert.equal(await isPending(stuck), true);
    server.close();
    assert.equal(await isPending(stuck.catch(() => {})), false);
  });

  it("ends incoming streams and refuses new ones", async () => {
    const { client, server } = createSessionPair();
    const reading = server.incomingBidirectionalStreams.getReader().read();
    client.close();
    assert.equal((await reading).done, true);
    assert.equal((await client.incomingUnidirectionalStreams.getReader().read()).done, true);
    await assert.rejects(client.createBidirectionalStream(), sessionFault);
    await assert.rejects(server.createUnidirectionalStream(), sessionFault);
  });

  it("sever() loses the connection: closed rejects and streams fail on both sides", async () => {
    const { client, server, near, far, sever } = await link();
    sever();
    for (const side of [client, server]) {
      await assert.rejects(side.closed, TransportFault);
      await assert.rejects(side.incomingUnidirectionalStreams.getReader().read(), sessionFault);
    }
    await assert.rejects(near.readable.getReader().read(), sessionFault);
    await assert.rejects(far.readable.getReader().read(), sessionFault);
  });

  it("leaves no rejection unhandled without a listener", async () => {
    const seen: unknown[] = [];
    const listener = (event: PromiseRejectionEvent): void => void seen.push(event.reason);
    globalThis.addEventListener("unhandledrejection", listener, { capture: true });
    try {
      const { sever } = await link();
      sever();
      await settle();
      const other = await link();
      other.client.close();
      await settle();
    } finally {
      globalThis.removeEventListener("unhandledrejection", listener, { capture: true });
    }
    assert.deepEqual(seen, []);
  });
});

describe("createSessionPair(): what the accepting side knows", () => {
  it("is reported as a listener reports it", () => {
    const { incoming, server } = createSessionPair();
    assert.deepEqual(incoming, { session: server, address: "127.0.0.1", path: "/" });
    const reported = createSessionPair({ address: "10.0.0.7", path: "/p", origin: "https://a" });
    assert.equal(reported.incoming.address, "10.0.0.7");
    assert.equal(reported.incoming.path, "/p");
    assert.equal(reported.incoming.origin, "https://a");
  });
});

describe("createPairTransport()", () => {
  it("makes a constructor whose other half is handed over, with the URL's path", async () => {
    const accepted: IncomingSession[] = [];
    const Transport = createPairTransport((incoming) => accepted.push(incoming), {
      origin: "https://a",
    });
    const client = new Transport("https://h:9090/p?token=t");
    await client.ready;
    assert.equal(accepted[0]?.path, "/p?token=t");
    assert.equal(accepted[0]?.origin, "https://a");
    accepted[0]?.session.close({ closeCode: 3 });
    assert.deepEqual(await client.closed, { closeCode: 3, reason: "" });
  });
});
