import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { PeerStreams } from "../../../../src/transport/http3/peer_streams.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { FakeQuic, type PeerStream } from "../../../support/fake_quic.ts";

const SETTINGS = [0x04, 0x02, 0x33, 0x01];

/** Opens streams as the peer and returns the code that the connection is closed with, if it is. */
async function judge(
  script: (quic: FakeQuic) => void | Promise<void>,
  role: "client" | "server" = "server",
): Promise<number | undefined> {
  const quic = new FakeQuic();
  new PeerStreams(quic, {
    role,
    clock: new FakeClock(),
    onError: (closeCode, reason) => quic.close({ closeCode, reason }),
  });
  await script(quic);
  await settle();
  return quic.closedWith?.closeCode;
}

function control(quic: FakeQuic, ...bytes: number[]): PeerStream {
  const stream = quic.peerOpensUnidirectional();
  stream.send(0x00, ...bytes);
  return stream;
}

describe("PeerStreams: connection errors (RFC 9114 section 8.1)", () => {
  const errors: readonly (readonly [
    what: string,
    script: (quic: FakeQuic) => void | Promise<void>,
    code: number | undefined,
    role?: "client",
  ])[] = [
    ["settings, then silence", (quic) => void control(quic, ...SETTINGS), undefined],
    ["a second SETTINGS frame", (quic) => void control(quic, ...SETTINGS, ...SETTINGS), 0x105],
    ["DATA on the control stream", (quic) => void control(quic, ...SETTINGS, 0x00, 0x00), 0x105],
    ["HEADERS on the control stream", (quic) => void control(quic, ...SETTINGS, 0x01, 0), 0x105],
    ["another frame before SETTINGS", (quic) => void control(quic, 0x07, 0x01, 0x00), 0x10a],
    ["a setting twice", (quic) => void control(quic, 0x04, 0x04, 0x33, 1, 0x33, 1), 0x109],
    ["a setting of HTTP/2", (quic) => void control(quic, 0x04, 0x02, 0x04, 1), 0x109],
    ["SETTINGS cut short", (quic) => void control(quic, 0x04, 0x01, 0x33), 0x109],
    [
      "a frame above the limit",
      (quic) => void control(quic, ...SETTINGS, 0x21, 0x80, 1, 0, 0),
      0x107,
    ],
    ["unknown frames, GOAWAY and MAX_PUSH_ID", (quic) => {
      control(quic, ...SETTINGS, 0x21, 0x01, 0xff, 0x07, 0x01, 0x00, 0x0d, 0x01, 0x00);
    }, undefined],
    ["the end of the control stream", async (quic) => {
      const stream = control(quic, ...SETTINGS);
      await settle();
      stream.fin();
    }, 0x104],
    ["a reset of the control stream", async (quic) => {
      const stream = control(quic, ...SETTINGS);
      await settle();
      stream.reset();
    }, 0x104],
    ["a second control stream", (quic) => {
      control(quic, ...SETTINGS);
      control(quic, ...SETTINGS);
    }, 0x103],
    ["QPACK streams that stay open", (quic) => {
      for (const type of [2, 3]) quic.peerOpensUnidirectional().send(type);
    }, undefined],
    ["the end of a QPACK stream", async (quic) => {
      const stream = quic.peerOpensUnidirectional();
      stream.send(2);
      await settle();
      stream.fin();
    }, 0x104],
    ["a second QPACK stream of a kind", (quic) => {
      for (let i = 0; i < 2; i++) quic.peerOpensUnidirectional().send(3);
    }, 0x103],
    ["a push stream of a client", (quic) => quic.peerOpensUnidirectional().send(1, 0), 0x103],
    ["a push stream of a server", (q) => q.peerOpensUnidirectional().send(1, 0), 0x108, "client"],
    ["a server's request", (q) => q.peerOpensBidirectional().send(1, 0, 0), 0x103, "client"],
    [
      "a one-way stream of session 1",
      (q) => q.peerOpensUnidirectional().send(0x40, 0x54, 1),
      0x108,
    ],
    ["a stream of session 2", (quic) => quic.peerOpensBidirectional().send(0x40, 0x41, 2), 0x108],
    ["a stream of session 4", (q) => q.peerOpensBidirectional().send(0x40, 0x41, 4), undefined],
    ["a stream of an unknown type", (q) => q.peerOpensUnidirectional().send(0x21, 1), undefined],
  ];
  for (const [what, script, code, role] of errors) {
    it(`${code === undefined ? "takes" : `answers with 0x${code.toString(16)}:`} ${what}`, async () => {
      assert.equal(await judge(script, role), code);
    });
  }

  it("reads settings and frames however they are cut", async () => {
    const bytes = [...SETTINGS, 0x21, 0x01, 0xff, ...SETTINGS];
    for (let cut = 0; cut <= bytes.length; cut++) {
      const code = await judge(async (quic) => {
        const stream = control(quic, ...bytes.slice(0, cut));
        await settle();
        if (cut < bytes.length) stream.send(...bytes.slice(cut));
      });
      assert.equal(code, 0x105, `cut at ${cut}`);
    }
  });

  it("takes the end of a critical stream once the session is over", async () => {
    const quic = new FakeQuic();
    const streams = new PeerStreams(quic, {
      role: "server",
      clock: new FakeClock(),
      onError: (closeCode, reason) => quic.close({ closeCode, reason }),
    });
    const stream = control(quic, ...SETTINGS);
    await settle();
    streams.stop();
    stream.fin();
    await settle();
    assert.equal(quic.closedWith, undefined);
  });

  it("leaves streams that are not asked for with the connection, and reads headers side by side", async () => {
    const quic = new FakeQuic();
    const streams = new PeerStreams(quic, {
      role: "server",
      clock: new FakeClock(),
      onError: () => {},
    });
    const [silent, first] = [quic.peerOpensBidirectional(), quic.peerOpensBidirectional()];
    first.send(0x40, 0x41, 0x00);
    await settle();
    assert.ok(silent.awaited > 0, "what comes before the first is read at once");
    // It looks for one more than is asked for.
    const ahead = quic.peerOpensBidirectional();
    const second = quic.peerOpensBidirectional();
    const third = quic.peerOpensBidirectional();
    const areRead = () => [ahead, second, third].map(({ awaited }) => awaited > 0);
    await settle();
    assert.deepEqual(areRead(), [true, false, false]);
    const reader = streams.bidirectional.stream.getReader();
    assert.equal((await reader.read()).done, false);
    await settle();
    assert.deepEqual(areRead(), [true, false, false]);
    const asked = reader.read();
    await settle();
    assert.deepEqual(areRead(), [true, true, true], "a header that is late holds up no other");
    third.send(0x40, 0x41, 0x00);
    assert.equal((await asked).done, false);
    silent.send(0x40, 0x41, 0x00);
    assert.equal((await reader.read()).done, false);
  });

  it("resolves settings and goaway", async () => {
    const quic = new FakeQuic();
    const streams = new PeerStreams(quic, {
      role: "client",
      clock: new FakeClock(),
      onError: () => {},
    });
    control(quic, ...SETTINGS, 0x07, 0x01, 0x04);
    assert.deepEqual([...await streams.settings], [[0x33, 1]]);
    await streams.goaway;
  });
});
