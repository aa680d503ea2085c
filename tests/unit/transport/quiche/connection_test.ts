import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import type { QuicheError, QuicheState } from "../../../../src/transport/quiche/binding.ts";
import { QuicheConnection } from "../../../../src/transport/quiche/connection.ts";
import { sessionCode } from "../../../../src/transport/http3/codes.ts";

const LOCAL = { host: "127.0.0.1", port: 1 };
const REMOTE = { host: "127.0.0.1", port: 2 };

/** A state machine that a test scripts: what comes in is set, what goes out is noted. */
class FakeState implements QuicheState {
  established = false;
  draining = false;
  timedOut = false;
  peer: QuicheError | null = null;
  local: QuicheError | null = null;
  left = 2;
  timeoutMs: number | null = null;
  /** How many bytes each stream takes; everything without an entry. */
  readonly room = new Map<number, number>();
  readonly incoming = new Map<number, { bytes: number[]; isEnd: boolean; error?: string }>();
  readonly sent = new Map<number, number[]>();
  readonly ended = new Set<number>();
  readonly shut: [id: number, direction: number, code: number][] = [];
  readonly closes: [isApp: boolean, code: number][] = [];
  readonly stopped = new Map<number, number>();
  keptAlive = 0;
  recv(): number {
    return 0;
  }
  send(): null {
    return null;
  }
  timeout(): number | null {
    return this.timeoutMs;
  }
  onTimeout(): void {}
  sendAckEliciting(): void {
    this.keptAlive++;
  }
  streamRecv(id: number, into: Uint8Array): [number, boolean] | null {
    const from = this.incoming.get(id);
    if (from?.error !== undefined) throw new Error(from.error);
    if (from === undefined || (from.bytes.length === 0 && !from.isEnd)) return null;
    const part = from.bytes.splice(0, into.length);
    into.set(part);
    return [part.length, from.isEnd && from.bytes.length === 0];
  }
  streamSend(id: number, bytes: Uint8Array, isEnd: boolean): number | null {
    const code = this.stopped.get(id);
    if (code !== undefined) throw new Error(`StreamStopped(${code})`);
    if (!this.sent.has(id)) {
      this.sent.set(id, []);
      if (id % 2 === 0) this.left--;
    }
    const room = this.room.get(id) ?? Infinity;
    if (room === 0 && bytes.length > 0) return null;
    const taken = Math.min(room, bytes.length);
    this.room.set(id, room - taken);
    this.sent.get(id)!.push(...bytes.subarray(0, taken));
    if (isEnd) this.ended.add(id);
    return taken;
  }
  streamShutdown(id: number, direction: number, code: number): void {
    this.shut.push([id, direction, code]);
  }
  readable(): number[] {
    return [...this.incoming.keys()];
  }
  peerStreamsLeftBidi(): number {
    return this.left;
  }
  peerStreamsLeftUni(): number {
    return this.left;
  }
  dgramSend(): void {}
  dgramMaxWritableLen(): number {
    return 1_170;
  }
  close(isApp: boolean, code: number): void {
    this.closes.push([isApp, code]);
    this.draining = true;
  }
  peerCertChain(): Uint8Array[] {
    return [];
  }
  isEstablished(): boolean {
    return this.established;
  }
  isDraining(): boolean {
    return this.draining;
  }
  isClosed(): boolean {
    return false;
  }
  isTimedOut(): boolean {
    return this.timedOut;
  }
  peerError(): QuicheError | null {
    return this.peer;
  }
  localError(): QuicheError | null {
    return this.local;
  }
}

function connection(judge?: () => string | undefined) {
  const state = new FakeState();
  const clock = new FakeClock();
  const quic = new QuicheConnection({
    ...{ state, role: "client", local: LOCAL, clock, keepAliveMs: 4_000 },
    send() {},
    onGone() {},
    ...(judge === undefined ? {} : { judge }),
  });
  const packet = (): void => quic.receive(new Uint8Array(1), REMOTE);
  const establish = (): void => {
    state.established = true;
    packet();
  };
  return { state, clock, quic, packet, establish };
}

describe("QuicheConnection", () => {
  it("resolves established after the judge has accepted the peer, and ends when it refuses", async () => {
    const good = connection(() => undefined);
    good.establish();
    await good.quic.established;
    const bad = connection(() => "invalid peer certificate: UnknownIssuer");
    bad.establish();
    await assert.rejects(bad.quic.established, /UnknownIssuer/);
    await assert.rejects(bad.quic.closed, /UnknownIssuer/);
    // The alert bad_certificate, as a transport error: nothing of an application leaves.
    assert.deepEqual(bad.state.closes, [[false, 0x12a]]);
    await assert.rejects(bad.quic.createBidirectionalStream());
  });

  it("sends no application code before the handshake is done", () => {
    const { quic, state } = connection();
    quic.close({ closeCode: 7, reason: "secret" });
    assert.deepEqual(state.closes, [[false, 0x0c]]);
  });

  it("opens streams while there is credit, in order, and waits for more", async () => {
    const { quic, state, establish, packet } = connection();
    establish();
    await quic.createBidirectionalStream();
    await quic.createBidirectionalStream();
    const order: string[] = [];
    const third = quic.createBidirectionalStream().then(() => order.push("third"));
    const fourth = quic.createBidirectionalStream().then(() => order.push("fourth"));
    await settle();
    assert.deepEqual([...state.sent.keys()], [0, 4]);
    state.left = 1;
    packet();
    await third;
    assert.deepEqual(order, ["third"]);
    state.left = 1;
    packet();
    await fourth;
    assert.deepEqual([...state.sent.keys()], [0, 4, 8, 12]);
  });

  it("rejects those that wait for credit when the connection ends", async () => {
    const { quic, state, establish } = connection();
    state.left = 0;
    establish();
    const waiting = quic.createUnidirectionalStream();
    await settle();
    quic.close({ closeCode: 0, reason: "" });
    await assert.rejects(waiting, /connection lost/);
  });

  it("holds a write until quiche has taken all of it", async () => {
    const { quic, state, establish, packet } = connection();
    establish();
    state.room.set(2, 3);
    const writer = (await quic.createUnidirectionalStream()).getWriter();
    let isDone = false;
    const writing = writer.write(Uint8Array.of(1, 2, 3, 4, 5)).then(() => isDone = true);
    await settle();
    assert.deepEqual(state.sent.get(2), [1, 2, 3]);
    assert.equal(isDone, false);
    state.room.set(2, 10);
    packet();
    await writing;
    await writer.close();
    assert.deepEqual(state.sent.get(2), [1, 2, 3, 4, 5]);
    assert.equal(state.ended.has(2), true);
  });

  it("resets and stops with the code in WebTransport's range, also under a blocked write", async () => {
    const { quic, state, establish } = connection();
    establish();
    state.room.set(2, 0);
    const writer = (await quic.createUnidirectionalStream()).getWriter();
    const writing = assert.rejects(writer.write(Uint8Array.of(1)));
    await settle();
    await writer.abort({ streamErrorCode: 31 });
    await writing;
    const { readable } = await quic.createBidirectionalStream();
    await readable.cancel();
    assert.deepEqual(state.shut, [[2, 1, sessionCode(31)], [0, 0, sessionCode(0)]]);
  });

  it("fails the writer whose peer stopped reading, with the peer's code", async () => {
    const { quic, state, establish } = connection();
    establish();
    const writer = (await quic.createUnidirectionalStream()).getWriter();
    state.stopped.set(2, sessionCode(9));
    await assert.rejects(writer.write(Uint8Array.of(1)), { streamErrorCode: 9 });
    assert.deepEqual(state.shut, [[2, 1, sessionCode(9)]]);
  });

  it("hands out the peer's streams once each, independent of the order in which they come", async () => {
    const { quic, state, establish, packet } = connection();
    establish();
    for (const id of [11, 3, 7, 15]) {
      state.incoming.set(id, { bytes: [id], isEnd: true });
      packet();
    }
    packet();
    const reader = quic.incomingUnidirectionalStreams.getReader();
    const ids: number[] = [];
    for (let i = 0; i < 4; i++) {
      const stream = (await reader.read()).value!.getReader();
      ids.push((await stream.read()).value![0]!);
      assert.equal((await stream.read()).done, true);
      packet();
    }
    assert.deepEqual(ids, [11, 3, 7, 15]);
    quic.close({ closeCode: 0, reason: "" });
    assert.equal((await reader.read()).done, true);
  });

  it("reads into the reader's own buffer, waits when nothing is there, and reports a reset", async () => {
    const { quic, state, establish, packet } = connection();
    establish();
    const from = { bytes: [1, 2, 3], isEnd: false } as { bytes: number[]; isEnd: boolean };
    state.incoming.set(3, from);
    packet();
    const { value } = await quic.incomingUnidirectionalStreams.getReader().read();
    const reader = value!.getReader({ mode: "byob" });
    assert.deepEqual([...(await reader.read(new Uint8Array(2))).value!], [1, 2]);
    assert.deepEqual([...(await reader.read(new Uint8Array(2))).value!], [3]);
    const waiting = reader.read(new Uint8Array(8));
    await settle();
    from.bytes.push(4);
    packet();
    assert.deepEqual([...(await waiting).value!], [4]);
    const failing = reader.read(new Uint8Array(8));
    await settle();
    state.incoming.set(3, { ...from, error: `StreamReset(${sessionCode(5)})` });
    packet();
    await assert.rejects(failing, { streamErrorCode: 5 });
  });

  const ends: readonly (readonly [what: string, set: (state: FakeState) => void, RegExp])[] = [
    ["a time-out", (state) => state.timedOut = true, /timed out/],
    [
      "a refusal",
      (state) => state.peer = { isApp: false, errorCode: 2, reason: new Uint8Array(0) },
      /refused to accept/,
    ],
    [
      "a certificate that TLS does not accept",
      (state) => state.local = { isApp: false, errorCode: 0x130, reason: new Uint8Array(0) },
      /invalid peer certificate: alert 48/,
    ],
    [
      "an expired certificate",
      (state) => state.local = { isApp: false, errorCode: 0x12d, reason: new Uint8Array(0) },
      /expired/,
    ],
  ];
  for (const [what, set, text] of ends) {
    it(`rejects established and closed at ${what}`, async () => {
      const { quic, state, packet } = connection();
      set(state);
      packet();
      await assert.rejects(quic.established, text);
      await assert.rejects(quic.closed, text);
    });
  }

  it("resolves closed with the peer's application code and reason", async () => {
    const { quic, state, establish, packet } = connection();
    establish();
    state.peer = { isApp: true, errorCode: 0x100, reason: new TextEncoder().encode("bye") };
    packet();
    assert.deepEqual(await quic.closed, { closeCode: 0x100, reason: "bye" });
  });

  it("keeps an idle connection alive, and stops that at its end", async () => {
    const { quic, state, clock, establish } = connection();
    establish();
    await clock.advance(4_000);
    assert.equal(state.keptAlive, 1);
    await clock.advance(8_000);
    assert.equal(state.keptAlive, 3);
    quic.close({ closeCode: 0, reason: "" });
    await clock.advance(60_000);
    assert.equal(state.keptAlive, 3);
  });
});
