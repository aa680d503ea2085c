import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { denoWebTransport } from "../../../../src/transport/deno/deno.ts";
import { createPairTransport, type SessionPair } from "../../../../src/transport/pair.ts";
import type { WebTransportConstructor, WebTransportLike } from "../../../../src/transport/types.ts";
import { settle } from "../../../../src/testing/mod.ts";

/** A constructor in place of Deno's, in which no QUIC connection is to be found. */
function withoutConnection() {
  const pairs: SessionPair[] = [];
  const native = createPairTransport((_, pair) => pairs.push(pair));
  return { pairs, Transport: denoWebTransport(native, { innerStreams: false }) };
}

describe("denoWebTransport() where the runtime has no QUIC", () => {
  it("uses the runtime's own streams and counts them", async () => {
    const { pairs, Transport } = withoutConnection();
    const session = new Transport("https://h/");
    assert.equal(session.streamsLeft, undefined);
    await session.ready;
    assert.equal(session.streamsLeft, 99);
    const stream = await session.createBidirectionalStream();
    await stream.writable.getWriter().write(Uint8Array.of(1));
    const { value } = await pairs[0]!.server.incomingBidirectionalStreams.getReader().read();
    assert.deepEqual([...(await value!.readable.getReader().read()).value!], [1]);
    assert.equal(session.streamsLeft, 98);
    await session.createUnidirectionalStream();
    assert.equal(session.streamsLeft, 98);
  });

  it("hands the peer's streams on, to their end", async () => {
    const { pairs, Transport } = withoutConnection();
    const session = new Transport("https://h/");
    const reader = session.incomingUnidirectionalStreams.getReader();
    const writable = await pairs[0]!.server.createUnidirectionalStream();
    writable.getWriter().write(Uint8Array.of(2));
    const { value } = await reader.read();
    assert.deepEqual([...(await value!.getReader().read()).value!], [2]);
    pairs[0]!.server.close({ closeCode: 5, reason: "x" });
    assert.equal((await reader.read()).done, true);
    assert.deepEqual(await session.closed, { closeCode: 5, reason: "x" });
  });

  it("ends the incoming streams when the connection is lost", async () => {
    const { pairs, Transport } = withoutConnection();
    const session = new Transport("https://h/");
    const reading = session.incomingBidirectionalStreams.getReader().read();
    await settle();
    pairs[0]!.sever();
    assert.equal((await reading).done, true);
    await assert.rejects(session.closed, /Connection lost/);
  });
});

describe("denoWebTransport() before the session is ready", () => {
  /** A session that becomes ready, or fails, when a test says so; like Deno's, its `close` throws before. */
  function undecided() {
    let open!: () => void;
    let fail!: (error: Error) => void;
    let isReady = false;
    const closes: unknown[] = [];
    const native = createPairTransport((_, { client }) => {
      const ready = new Promise<void>((resolve, reject) => {
        open = () => {
          isReady = true;
          resolve();
        };
        fail = reject;
      });
      Object.defineProperties(client, {
        ready: { value: ready },
        close: {
          value(info: unknown) {
            if (!isReady) throw new Error("WebTransport is not connected");
            closes.push(info);
          },
        },
      });
    });
    const session: WebTransportLike = new (denoWebTransport(native, { innerStreams: false }))(
      "https://h/",
    );
    return { session, closes, open: () => open(), fail: (error: Error) => fail(error) };
  }

  it("close() waits for the session, which would open nevertheless", async () => {
    const { session, closes, open } = undecided();
    session.close({ closeCode: 7 });
    await settle();
    assert.deepEqual(closes, []);
    open();
    await settle();
    assert.deepEqual(closes, [{ closeCode: 7 }]);
  });

  it("rejects ready as the runtime does, and ends the incoming streams", async () => {
    const { session, fail } = undecided();
    const reading = session.incomingBidirectionalStreams.getReader().read();
    fail(new Error("timed out"));
    await assert.rejects(session.ready, /timed out/);
    await assert.rejects(session.createBidirectionalStream(), /timed out/);
    assert.equal((await reading).done, true);
    session.close();
  });
});

describe("denoWebTransport()", () => {
  it("throws what the runtime's constructor throws, where that is used", () => {
    const native = globalThis.WebTransport as unknown as WebTransportConstructor;
    const Transport = denoWebTransport(native, { innerStreams: false });
    assert.throws(() => new Transport("https://[::1]:9/"), /invalid server name/);
  });
});
