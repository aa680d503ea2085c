import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { ConnectStream } from "../../../../src/transport/http3/connect_stream.ts";
import { FrameSource } from "../../../../src/transport/http3/frames.ts";
import { PeerStreams } from "../../../../src/transport/http3/peer_streams.ts";
import { QuicSession } from "../../../../src/transport/http3/quic.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { FakeQuic, PeerStream } from "../../../support/fake_quic.ts";

/** A session on a server's side, behind its handshake. */
function session(role: "client" | "server" = "server") {
  const quic = new FakeQuic();
  const clock = new FakeClock();
  const streams = new PeerStreams(quic, {
    role,
    clock,
    onError: (closeCode, reason) => quic.close({ closeCode, reason }),
  });
  const stream = new PeerStream();
  const connect = new ConnectStream({
    connection: quic,
    frames: new FrameSource(stream.readable, { bufferBytes: 64 }),
    writer: stream.writable.getWriter(),
    clock,
  });
  return { quic, clock, stream, session: new QuicSession(quic, { streams, connect }) };
}

describe("QuicSession", () => {
  it("begins a bidirectional stream with 40 41 00, ahead of what is written", async () => {
    const { quic, session: it } = session();
    const stream = await it.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    await writer.write(Uint8Array.of(7, 8));
    assert.deepEqual([...quic.opened[0]!.written], [0x40, 0x41, 0x00, 7, 8]);
    await writer.close();
    assert.equal(quic.opened[0]!.finished, true);
  });

  it("begins a one-way stream with 40 54 00", async () => {
    const { quic, session: it } = session();
    const writer = (await it.createUnidirectionalStream()).getWriter();
    await writer.close();
    assert.deepEqual([...quic.opened[0]!.written], [0x40, 0x54, 0x00]);
  });

  it("hands out the peer's streams at their contents", async () => {
    const { quic, session: it } = session();
    const peer = quic.peerOpensBidirectional();
    peer.send(0x40, 0x41, 0x00, 1, 2, 3);
    const { value } = await it.incomingBidirectionalStreams.getReader().read();
    const { value: bytes } = await value!.readable.getReader().read();
    assert.deepEqual([...bytes!], [1, 2, 3]);
    const uni = quic.peerOpensUnidirectional();
    uni.send(0x40, 0x54, 0x00, 9);
    const { value: readable } = await it.incomingUnidirectionalStreams.getReader().read();
    assert.deepEqual([...(await readable!.getReader().read()).value!], [9]);
  });

  it("serves two reads at once of the streams of each kind", async () => {
    const { quic, session: it } = session();
    const kinds = [it.incomingUnidirectionalStreams, it.incomingBidirectionalStreams];
    const served = [0, 0];
    for (const [kind, stream] of kinds.entries()) {
      const reader = (stream as ReadableStream<unknown>).getReader();
      for (let i = 0; i < 2; i++) void reader.read().then(() => served[kind]!++);
    }
    for (let i = 0; i < 2; i++) {
      quic.peerOpensUnidirectional().send(0x40, 0x54, 0x00);
      quic.peerOpensBidirectional().send(0x40, 0x41, 0x00);
    }
    await settle();
    assert.deepEqual(served, [2, 2]);
  });

  it("does not let a stream without a header hold up the next, for however long", async () => {
    const { quic, session: it, clock } = session();
    const silent = [quic.peerOpensUnidirectional(), quic.peerOpensUnidirectional()];
    quic.peerOpensUnidirectional().send(0x40, 0x54, 0x00, 5);
    const { value } = await it.incomingUnidirectionalStreams.getReader().read();
    assert.deepEqual([...(await value!.getReader().read()).value!], [5]);
    // Browsers never send on their QPACK streams; giving these up would end the connection.
    await clock.advance(3_600_000);
    assert.deepEqual(silent.map((stream) => stream.cancelled), [false, false]);
  });

  it("gives up a bidirectional stream whose header does not come", async () => {
    const { quic, session: it, clock } = session();
    const silent = quic.peerOpensBidirectional();
    const next = it.incomingBidirectionalStreams.getReader().read();
    await clock.advance(5_000);
    assert.equal(silent.cancelled, true);
    assert.equal(silent.aborted, true);
    quic.peerOpensBidirectional().send(0x40, 0x41, 0x00);
    assert.equal((await next).done, false);
  });

  it("keeps out streams of HTTP/3, of other sessions and of other types, and reads them away", async () => {
    const { quic, session: it } = session();
    const control = quic.peerOpensUnidirectional();
    control.send(0x00, 0x04, 0x00);
    quic.peerOpensUnidirectional().send(0x40, 0x54, 0x04, 1);
    quic.peerOpensUnidirectional().send(0x40, 0x41, 0x00, 2);
    quic.peerOpensUnidirectional().send(0x40, 0x54, 0x00, 3);
    const { value } = await it.incomingUnidirectionalStreams.getReader().read();
    assert.deepEqual([...(await value!.getReader().read()).value!], [3]);
    control.send(0x21, 1, 3);
    await settle();
    assert.equal(control.cancelled, false);
    assert.equal(control.readable.locked, true);
    const foreign = quic.peerOpensBidirectional();
    foreign.send(0x40, 0x41, 0x04);
    const bidirectional = it.incomingBidirectionalStreams.getReader().read();
    await settle();
    assert.equal(foreign.aborted, true);
    quic.peerCloses(0, "");
    assert.equal((await bidirectional).done, true);
  });

  it("waits with a small buffer on a stream that it reads away, and takes much at once while much comes", async () => {
    const { quic, session: it } = session();
    it.incomingUnidirectionalStreams.getReader().read().catch(() => {});
    const foreign = quic.peerOpensUnidirectional();
    foreign.send(0x21, 0, 0);
    await settle();
    assert.equal(foreign.awaited, 64);
    foreign.send(...new Uint8Array(64));
    await settle();
    assert.equal(foreign.awaited, 8_192);
    foreign.send(...new Uint8Array(8_192));
    await settle();
    assert.equal(foreign.awaited, 8_192);
    foreign.send(1);
    await settle();
    assert.equal(foreign.awaited, 64);
  });

  it("ends at a flood of streams that are not its own, which nothing above sees", async () => {
    const { quic, session: it, clock } = session();
    it.incomingBidirectionalStreams.getReader().read().catch(() => {});
    it.incomingUnidirectionalStreams.getReader().read().catch(() => {});
    const flood = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const isBidirectional = i % 2 === 0;
        const stream = isBidirectional
          ? quic.peerOpensBidirectional()
          : quic.peerOpensUnidirectional();
        stream.send(...(isBidirectional ? [0x40, 0x41, 0x04] : [0x21, 0, 0]));
        stream.fin();
      }
      await settle();
    };
    await flood(1_000);
    await clock.advance(60_001);
    await flood(1_000);
    assert.equal(quic.closedWith, undefined);
    await flood(1);
    assert.deepEqual(await it.closed, {
      closeCode: 0x107,
      reason: "too much that is not of the session",
    });
  });

  it("ends at a flood on one stream that is not its own", async () => {
    const { quic, session: it } = session();
    it.incomingUnidirectionalStreams.getReader().read().catch(() => {});
    const foreign = quic.peerOpensUnidirectional();
    const send = async (count: number): Promise<void> => {
      foreign.send(...new Uint8Array(count));
      await settle();
    };
    // The header takes three bytes.
    foreign.send(0x21, 0, 0);
    for (let i = 0; i < 16; i++) await send(65_536);
    assert.equal(quic.closedWith, undefined);
    await send(1);
    assert.equal((await it.closed).closeCode, 0x107);
  });

  it("ends its incoming streams without an error when the connection is lost", async () => {
    const { quic, session: it } = session();
    const reading = it.incomingBidirectionalStreams.getReader().read();
    quic.lose();
    assert.equal((await reading).done, true);
    await assert.rejects(it.closed, /timed out/);
  });

  it("reports the peer's close code, taken back from HTTP/3's range, and 0 for H3_NO_ERROR", async () => {
    const plain = session();
    plain.quic.peerCloses(4321, "bye");
    assert.deepEqual(await plain.session.closed, { closeCode: 4321, reason: "bye" });
    const mapped = session();
    mapped.quic.peerCloses(91141958515276, "");
    assert.deepEqual(await mapped.session.closed, { closeCode: 4321, reason: "" });
    const nothing = session();
    nothing.quic.peerCloses(0x100, "");
    assert.deepEqual(await nothing.session.closed, { closeCode: 0, reason: "" });
  });

  it("takes a close code as Web IDL takes an unsigned long, so that any closes the connection, once", async () => {
    for (const [given, code] of [[-1, 4294967295], [2 ** 32 + 1, 1], [1.5, 1], [NaN, 0]] as const) {
      const { quic, clock, session: it } = session();
      it.close({ closeCode: given, reason: "x" });
      it.close({ closeCode: 10 });
      await clock.advance(250);
      assert.deepEqual(quic.closedWith, { closeCode: code, reason: "x" });
    }
  });

  it("sends datagrams after the session number, and drops what is too large", async () => {
    const { quic, session: it } = session();
    assert.equal(it.datagrams.maxDatagramSize, 1_199);
    const writer = it.datagrams.writable!.getWriter();
    await writer.write(Uint8Array.of(5));
    await writer.write(new Uint8Array(1_200));
    await writer.write(new Uint8Array(1_199));
    assert.deepEqual(quic.datagrams.map((bytes) => bytes.length), [2, 1_200]);
    assert.deepEqual([...quic.datagrams[0]!], [0, 5]);
  });
});
