import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { QuicSession, type SessionControl } from "../../../../src/transport/http3/quic.ts";
import type { CloseInfo } from "../../../../src/transport/types.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { FakeQuic } from "../../../support/fake_quic.ts";

function session(options: { control?: SessionControl } = {}) {
  const quic = new FakeQuic();
  const clock = new FakeClock();
  return { quic, clock, session: new QuicSession(quic, { clock, ...options }) };
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

  it("keeps out streams of HTTP/3 and of other sessions, and reads them away", async () => {
    const { quic, session: it } = session();
    const control = quic.peerOpensUnidirectional();
    control.send(0x00, 0x04, 0x00);
    quic.peerOpensUnidirectional().send(0x40, 0x54, 0x04, 1);
    quic.peerOpensUnidirectional().send(0x40, 0x41, 0x00, 2);
    quic.peerOpensUnidirectional().send(0x40, 0x54, 0x00, 3);
    const { value } = await it.incomingUnidirectionalStreams.getReader().read();
    assert.deepEqual([...(await value!.getReader().read()).value!], [3]);
    control.send(1, 2, 3);
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

  it("ends at a flood of streams that are none of its own, as nobody above sees them", async () => {
    const { quic, session: it, clock } = session();
    it.incomingBidirectionalStreams.getReader().read().catch(() => {});
    it.incomingUnidirectionalStreams.getReader().read().catch(() => {});
    const flood = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const stream = i % 2 === 0 ? quic.peerOpensBidirectional() : quic.peerOpensUnidirectional();
        stream.send(0x21, 0, 0);
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
      reason: "too much that is none of the session's",
    });
  });

  it("ends at a flood on one stream that is none of its own", async () => {
    const { quic, session: it } = session();
    it.incomingUnidirectionalStreams.getReader().read().catch(() => {});
    const foreign = quic.peerOpensUnidirectional();
    const send = async (count: number): Promise<void> => {
      foreign.send(...new Uint8Array(count));
      await settle();
    };
    // The header has taken three bytes of them.
    for (let i = 0; i < 16; i++) await send(65_536);
    await send(3);
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

  it("tells the peer's close code, taken back from HTTP/3's range", async () => {
    const plain = session();
    plain.quic.peerCloses(4321, "bye");
    assert.deepEqual(await plain.session.closed, { closeCode: 4321, reason: "bye" });
    const mapped = session();
    mapped.quic.peerCloses(91141958515276, "");
    assert.deepEqual(await mapped.session.closed, { closeCode: 4321, reason: "" });
  });

  it("closes the connection with code and reason, once", () => {
    const { quic, session: it } = session();
    it.close({ closeCode: 9, reason: "enough" });
    it.close({ closeCode: 10 });
    assert.deepEqual(quic.closedWith, { closeCode: 9, reason: "enough" });
  });

  it("takes a close code as Web IDL takes an unsigned long, so that any closes the connection", () => {
    for (const [given, code] of [[-1, 4294967295], [2 ** 32 + 1, 1], [1.5, 1], [NaN, 0]] as const) {
      const { quic, session: it } = session();
      it.close({ closeCode: given });
      assert.deepEqual(quic.closedWith, { closeCode: code, reason: "" });
    }
  });

  it("ends when its CONNECT stream does, and closes the connection then", async () => {
    let end!: (info: CloseInfo) => void;
    const ended = new Promise<CloseInfo>((resolve) => end = resolve);
    const { quic, session: it } = session({ control: { ended, close: () => Promise.resolve() } });
    end({ closeCode: 3, reason: "gone" });
    assert.deepEqual(await it.closed, { closeCode: 3, reason: "gone" });
    assert.deepEqual(quic.closedWith, { closeCode: 0, reason: "" });
  });

  it("says its end on the CONNECT stream, where it has it", () => {
    const said: CloseInfo[] = [];
    const control = {
      ended: new Promise<CloseInfo>(() => {}),
      close: (info: CloseInfo) => Promise.resolve(void said.push(info)),
    };
    const { quic, session: it } = session({ control });
    it.close({ closeCode: 5 });
    assert.deepEqual(said, [{ closeCode: 5, reason: "" }]);
    assert.equal(quic.closedWith, undefined);
  });

  it("sends datagrams behind the session number, and drops what is too large", async () => {
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
