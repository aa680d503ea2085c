import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { concatBytes, encodeHex } from "../../../../src/base/bytes.ts";
import { acceptRequest, type PendingSession } from "../../../../src/transport/http3/server.ts";
import { encodeVarint } from "../../../../src/transport/http3/stream_header.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { FakeQuic, type PeerStream } from "../../../support/fake_quic.ts";

function frame(type: number, payload: Uint8Array): Uint8Array {
  return concatBytes([encodeVarint(type), encodeVarint(payload.length), payload]);
}

function field(name: string, value: string): Uint8Array {
  const text = (s: string): Uint8Array => new TextEncoder().encode(s);
  const head = name.length < 7
    ? Uint8Array.of(0x20 | name.length)
    : Uint8Array.of(0x27, name.length - 7);
  return concatBytes([head, text(name), Uint8Array.of(value.length), text(value)]);
}

function request(fields: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(fields).map(([name, value]) => field(name, value));
  return frame(0x01, concatBytes([Uint8Array.of(0, 0), ...lines]));
}

const CONNECT = {
  ":method": "CONNECT",
  ":protocol": "webtransport",
  ":authority": "gw:9090",
  ":path": "/p?q=1",
};

/** Sends a request's bytes, each array as one chunk, and lets the server read them. */
async function ask(
  ...chunks: readonly Uint8Array[]
): Promise<
  { quic: FakeQuic; clock: FakeClock; stream: PeerStream; pending: PendingSession | undefined }
> {
  const quic = new FakeQuic();
  const clock = new FakeClock();
  const stream = quic.peerOpensBidirectional();
  const answered = acceptRequest(quic, { clock });
  for (const chunk of chunks) {
    stream.send(...chunk);
    await Promise.resolve();
  }
  await settle();
  return { quic, clock, stream, pending: await answered };
}

describe("acceptRequest()", () => {
  it("sends the settings that make clients ask, on a control stream that stays open", async () => {
    const { quic } = await ask(request(CONNECT));
    const [control] = quic.opened;
    // Control stream 00; SETTINGS 04; extended CONNECT 08=1; datagrams 33=1; WebTransport drafts 02 and 07.
    assert.equal(
      encodeHex(control!.written),
      "0004" + "12" + "0801" + "3301" + "ab60374201" + "c0000000c671706a01",
    );
    assert.equal(control!.finished, false);
  });

  it("reads authority, path and origin", async () => {
    const { pending } = await ask(request({ ...CONNECT, origin: "https://app.example" }));
    assert.deepEqual(pending?.request, {
      authority: "gw:9090",
      path: "/p?q=1",
      origin: "https://app.example",
    });
    const { pending: plain } = await ask(request(CONNECT));
    assert.deepEqual(plain?.request, { authority: "gw:9090", path: "/p?q=1" });
  });

  it("reads a request however it is cut", async () => {
    const bytes = request(CONNECT);
    for (let cut = 1; cut < bytes.length; cut++) {
      const { pending } = await ask(bytes.subarray(0, cut), bytes.subarray(cut));
      assert.equal(pending?.request.path, "/p?q=1", `cut at ${cut}`);
    }
  });

  it("lets frames of unknown types pass before the request", async () => {
    const grease = frame(0x21, new Uint8Array(20));
    const { pending } = await ask(concatBytes([grease, grease, request(CONNECT)]));
    assert.equal(pending?.request.authority, "gw:9090");
  });

  it("answers 200, and repeats the draft to a client that asks with it", async () => {
    const { pending, stream } = await ask(request(CONNECT));
    await pending!.accept();
    assert.equal(encodeHex(stream.written), "0108" + "00005f0903323030");
    const old = await ask(request({ ...CONNECT, "sec-webtransport-http3-draft02": "1" }));
    await old.pending!.accept();
    assert.ok(
      new TextDecoder().decode(old.stream.written).endsWith(
        "sec-webtransport-http3-draft\x07draft02",
      ),
    );
  });

  it("answers another status, and ends the stream", async () => {
    const { pending, stream } = await ask(request(CONNECT));
    await pending!.reject(403);
    assert.equal(encodeHex(stream.written), "0108" + "00005f0903343033");
    assert.equal(stream.finished, true);
  });

  const refused: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ["a GET", request({ ":method": "GET", ":scheme": "https", ":authority": "gw", ":path": "/" })],
    ["a POST", request({ ":method": "POST", ":path": "/" })],
    ["a CONNECT without a protocol", request({ ":method": "CONNECT", ":authority": "gw:1" })],
    ["another protocol", request({ ...CONNECT, ":protocol": "websocket" })],
    ["a malformed header", frame(0x01, Uint8Array.of(0, 0, 0x80))],
    ["a header above the limit", frame(0x01, new Uint8Array(16_385))],
    ["a frame that claims 2^60 bytes", Uint8Array.of(0x01, 0xd0, 0, 0, 0, 0, 0, 0, 0)],
    ["data first", frame(0x00, Uint8Array.of(1))],
    [
      "nothing but unknown frames",
      concatBytes(Array.from({ length: 9 }, () => frame(0x21, new Uint8Array(1)))),
    ],
  ];
  for (const [what, bytes] of refused) {
    it(`answers 404 to ${what}`, async () => {
      const { pending, stream } = await ask(bytes);
      assert.equal(pending, undefined);
      assert.equal(encodeHex(stream.written), "0108" + "00005f0903343034");
      assert.equal(stream.finished, true);
    });
  }

  it("accepts the upgrade token of draft 15 and later, and the older one", async () => {
    for (const protocol of ["webtransport", "webtransport-h3"]) {
      const { pending } = await ask(request({ ...CONNECT, ":protocol": protocol }));
      assert.equal(pending?.request.path, "/p?q=1", protocol);
    }
  });

  it("returns nothing when the connection ends before a request", async () => {
    const quic = new FakeQuic();
    const answered = acceptRequest(quic, { clock: new FakeClock() });
    await settle();
    quic.lose();
    assert.equal(await answered, undefined);
  });

  it("takes a stream that ends inside its first frame for no request", async () => {
    const quic = new FakeQuic();
    const answered = acceptRequest(quic, { clock: new FakeClock() });
    const stream = quic.peerOpensBidirectional();
    stream.send(0x01, 0x20, 0x00);
    await settle();
    stream.fin();
    assert.equal(await answered, undefined);
    assert.equal(encodeHex(stream.written), "0108" + "00005f0903343034");
  });
});

/** A session, the request's stream, and what the server says on that after its answer. */
async function established() {
  const { quic, clock, stream, pending } = await ask(request(CONNECT));
  const session = await pending!.accept();
  const answered = stream.written.length;
  return { quic, clock, stream, session, said: () => stream.written.subarray(answered) };
}

describe("a connection that has its session", () => {
  async function late(bytes: Uint8Array) {
    const { quic, clock, session } = await established();
    const stream = quic.peerOpensBidirectional();
    stream.send(...bytes);
    await settle();
    return { quic, clock, session, stream };
  }

  it("answers a second CONNECT with 429, and everything else with 404, and goes on", async () => {
    for (
      const [bytes, status] of [
        [request(CONNECT), "343239"],
        [request({ ":method": "GET", ":authority": "gw", ":path": "/" }), "343034"],
        [frame(0x01, Uint8Array.of(0, 0, 0x80)), "343034"],
      ] as const
    ) {
      const { quic, stream } = await late(bytes);
      assert.equal(encodeHex(stream.written), "0108" + "00005f0903" + status);
      assert.equal(stream.finished, true);
      stream.fin();
      await settle();
      assert.equal(quic.closedWith, undefined);
      quic.peerOpensBidirectional().send(0x40, 0x41, 0x00);
    }
  });

  it("gives up a request that does not come to its end within 5 s", async () => {
    const { clock, stream, quic } = await late(Uint8Array.of(0x01, 0x20, 0x00));
    assert.equal(stream.aborted, false);
    await clock.advance(5_000);
    assert.equal(stream.aborted, true);
    assert.equal(quic.closedWith, undefined);
  });

  it("asks for an orderly end with GOAWAY and a WT_DRAIN_SESSION capsule, and goes on", async () => {
    const { quic, session, said } = await established();
    const settings = quic.opened[0]!.written.length;
    session.drain();
    await settle();
    assert.equal(encodeHex(said()), "0005" + "800078ae00");
    assert.equal(encodeHex(quic.opened[0]!.written.subarray(settings)), "070104");
    assert.equal(quic.closedWith, undefined);
  });
});

describe("the CONNECT stream of a session", () => {
  const bye = Uint8Array.of(0, 0, 0x04, 0xd2, 0x62, 0x79, 0x65);

  it("ends with what the peer's close capsule says, inside a DATA frame or bare", async () => {
    for (const bytes of [frame(0x00, frame(0x2843, bye)), frame(0x2843, bye)]) {
      const { quic, stream, session } = await established();
      stream.send(...bytes);
      assert.deepEqual(await session.closed, { closeCode: 1234, reason: "bye" });
      await settle();
      // The peer's end is answered: with our own, then with H3_NO_ERROR.
      assert.equal(stream.finished, true);
      assert.deepEqual(quic.closedWith, { closeCode: 0x100, reason: "" });
    }
  });

  it("reads a capsule however it is cut into DATA frames, and after others", async () => {
    const capsules = concatBytes([frame(0x78af, new Uint8Array(3)), frame(0x2843, bye)]);
    for (let cut = 0; cut <= capsules.length; cut++) {
      const { stream, session } = await established();
      stream.send(
        ...frame(0x00, capsules.subarray(0, cut)),
        ...frame(0x00, capsules.subarray(cut)),
      );
      assert.deepEqual(await session.closed, { closeCode: 1234, reason: "bye" }, `cut at ${cut}`);
    }
  });

  it("ends with a close capsule whose reason is as long as it may be", async () => {
    const capsule = frame(
      0x2843,
      concatBytes([bye.subarray(0, 4), new Uint8Array(1_024).fill(97)]),
    );
    for (const bytes of [frame(0x00, capsule), capsule]) {
      const { stream, session } = await established();
      stream.send(...bytes);
      assert.deepEqual(await session.closed, { closeCode: 1234, reason: "a".repeat(1_024) });
    }
  });

  it("ends with the first of two close capsules", async () => {
    const other = frame(0x2843, Uint8Array.of(0, 0, 0, 1));
    const { stream, session } = await established();
    stream.send(...frame(0x00, frame(0x2843, bye)), ...frame(0x00, other));
    assert.deepEqual(await session.closed, { closeCode: 1234, reason: "bye" });
  });

  it("answers a malformed close capsule with H3_MESSAGE_ERROR: too short, or not UTF-8", async () => {
    for (const payload of [Uint8Array.of(1), Uint8Array.of(0, 0, 0, 1, 0xff)]) {
      const { quic, stream, session } = await established();
      stream.send(...frame(0x00, frame(0x2843, payload)));
      assert.deepEqual(await session.closed, { closeCode: 0, reason: "" });
      await settle();
      assert.deepEqual(quic.closedWith, { closeCode: 0x10e, reason: "" });
    }
  });

  it("resolves draining when the peer asks for an orderly end, and goes on", async () => {
    const { quic, stream, session } = await established();
    stream.send(...frame(0x00, frame(0x78ae, new Uint8Array(0))));
    await session.draining;
    assert.equal(quic.closedWith, undefined);
  });

  /** Whether the session is over once a stream's end has waited for the connection's. */
  async function isOver({ session, clock }: Awaited<ReturnType<typeof established>>) {
    let isOver = false;
    session.closed.then((info) => {
      assert.deepEqual(info, { closeCode: 0, reason: "" });
      isOver = true;
    });
    await settle();
    await clock.advance(20);
    return isOver;
  }

  it("ends when a capsule grows above the limit", async () => {
    const it = await established();
    it.stream.send(...frame(0x00, Uint8Array.of(0x21, 0x80, 0x01, 0x00, 0x00)));
    for (let i = 0; i < 3; i++) it.stream.send(...frame(0x00, new Uint8Array(1_000)));
    assert.equal(await isOver(it), true);
  });

  it("ends with the stream, when the peer says nothing", async () => {
    for (const end of ["fin", "reset"] as const) {
      const it = await established();
      it.stream[end]();
      assert.equal(await isOver(it), true);
      assert.deepEqual(it.quic.closedWith, { closeCode: 0x100, reason: "" });
    }
  });

  it("ends as the connection does, when that is lost and the stream with it", async () => {
    const { quic, stream, session } = await established();
    stream.reset();
    await settle();
    quic.lose();
    await assert.rejects(session.closed, /timed out/);
  });

  it("ignores other capsules and frames", async () => {
    const it = await established();
    it.stream.send(
      ...frame(0x00, frame(0x78af, new Uint8Array(0))),
      ...frame(0x21, new Uint8Array(9)),
      ...frame(0x00, new Uint8Array(0)),
    );
    assert.equal(await isOver(it), false);
  });

  it("ends at a flood of frames, though each is within the limit", async () => {
    for (const empty of [frame(0x00, new Uint8Array(0)), frame(0x21, new Uint8Array(0))]) {
      const it = await established();
      for (let i = 0; i < 999; i++) it.stream.send(...empty);
      assert.equal(await isOver(it), false);
      it.stream.send(...empty);
      await settle();
      await it.clock.advance(20);
      assert.deepEqual(await it.session.closed, { closeCode: 0, reason: "" });
    }
  });

  it("ends at a frame above the limit, without waiting for its bytes", async () => {
    const it = await established();
    it.stream.send(0x00, 0x80, 0x01, 0x00, 0x00);
    assert.equal(await isOver(it), true);
  });

  it("says a close as a capsule in a DATA frame and a FIN, then closes with H3_NO_ERROR when the peer answers", async () => {
    const { quic, clock, stream, session, said } = await established();
    session.close({ closeCode: 1234, reason: "bye" });
    await settle();
    assert.equal(encodeHex(said()), encodeHex(frame(0x00, frame(0x2843, bye))));
    assert.equal(stream.finished, true);
    await clock.advance(100);
    assert.equal(quic.closedWith, undefined);
    stream.fin();
    await settle();
    await clock.advance(20);
    assert.deepEqual(quic.closedWith, { closeCode: 0x100, reason: "" });
  });

  it("closes the connection with the code after 250 ms for a peer that does not answer", async () => {
    const { quic, clock, session } = await established();
    session.close({ closeCode: 1234, reason: "bye" });
    await clock.advance(249);
    assert.equal(quic.closedWith, undefined);
    await clock.advance(1);
    assert.deepEqual(quic.closedWith, { closeCode: 1234, reason: "bye" });
  });

  it("says whole characters only: a reason is cut between two, and a lone surrogate replaced", async () => {
    const cases = [
      [`a${"\u00e9".repeat(600)}`, `a${"\u00e9".repeat(511)}`],
      ["\ud800", "\ufffd"],
    ] as const;
    for (const [reason, heard] of cases) {
      const { session, said } = await established();
      session.close({ reason });
      await settle();
      const payload = concatBytes([new Uint8Array(4), new TextEncoder().encode(heard)]);
      assert.equal(encodeHex(said()), encodeHex(frame(0x00, frame(0x2843, payload))));
    }
  });
});
