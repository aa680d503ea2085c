import { describe, it } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, encodeHex } from "../../../../src/base/bytes.ts";
import { connectSession } from "../../../../src/transport/http3/client.ts";
import { encodeFrame, takeFrame } from "../../../../src/transport/http3/frames.ts";
import {
  decodeRequestHeader,
  decodeStatus,
  encodeRequestHeader,
  encodeResponseHeader,
} from "../../../../src/transport/http3/qpack.ts";
import { encodeVarint } from "../../../../src/transport/http3/stream_header.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { FakeQuic } from "../../../support/fake_quic.ts";
import { seed } from "../../../support/seed.ts";

const EXTENDED_CONNECT = [0x08, 1] as const;
const DRAFT02 = [0x2b603742, 1] as const;
const DRAFT16 = [0x2c7cf000, 1] as const;

/** Dials, with a server that sends settings; answers are sent by the test. */
async function dial(...settings: readonly (readonly [number, number])[]) {
  const quic = new FakeQuic();
  const clock = new FakeClock();
  const url = new URL("https://gw.example:9090/a/b?c=d");
  const connecting = connectSession(quic, url, { clock });
  connecting.catch(() => {});
  const control = quic.peerOpensUnidirectional();
  control.send(
    0x00,
    ...encodeFrame(0x04, concatBytes(settings.flatMap((s) => s.map(encodeVarint)))),
  );
  await settle();
  const [, request] = quic.opened;
  const answer = (status: number): void =>
    request!.send(...encodeFrame(0x01, encodeResponseHeader(status)));
  return { quic, clock, control, request: request!, connecting, answer };
}

describe("connectSession()", () => {
  it("sends its settings, waits for the server's, then asks", async () => {
    const quic = new FakeQuic();
    const connecting = connectSession(quic, new URL("https://gw/"), { clock: new FakeClock() });
    connecting.catch(() => {});
    await settle();
    const [control, request] = quic.opened;
    assert.equal(encodeHex(control!.written).slice(0, 4), "0004");
    assert.equal(request!.written.length, 0);
    quic.lose();
    await assert.rejects(connecting, /timed out/);
  });

  it("asks with an extended CONNECT in the token of the draft that the server has", async () => {
    for (
      const [settings, protocol] of [
        [[EXTENDED_CONNECT, DRAFT02], "webtransport"],
        [[EXTENDED_CONNECT, DRAFT02, DRAFT16], "webtransport"],
        [[EXTENDED_CONNECT, DRAFT16], "webtransport-h3"],
      ] as const
    ) {
      const { request, connecting, answer } = await dial(...settings);
      const frame = takeFrame(request.written);
      assert.equal(frame?.type, 0x01);
      const { method, protocol: asked, authority, path } = decodeRequestHeader(frame.payload)!;
      assert.deepEqual({ method, asked, authority, path }, {
        method: "CONNECT",
        asked: protocol,
        authority: "gw.example:9090",
        path: "/a/b?c=d",
      });
      answer(200);
      await connecting;
    }
  });

  it("closes with WT_REQUIREMENTS_NOT_MET where the server offers no WebTransport", async () => {
    for (
      const settings of [[], [DRAFT02], [EXTENDED_CONNECT], [EXTENDED_CONNECT, [DRAFT02[0], 0]]]
    ) {
      const { quic, connecting } = await dial(...settings as [number, number][]);
      await assert.rejects(connecting, /the server's settings offer no WebTransport/);
      assert.equal(quic.closedWith?.closeCode, 0x212c0d48);
    }
  });

  it("skips interim answers and unknown frames, and takes any 2xx", async () => {
    const { request, connecting, answer } = await dial(EXTENDED_CONNECT, DRAFT02);
    answer(103);
    request.send(0x21, 0x01, 0xff);
    answer(204);
    const session = await connecting;
    const stream = await session.createBidirectionalStream();
    await stream.writable.close();
  });

  it("rejects with the status of a refusal, and closes the connection", async () => {
    for (const status of [302, 403, 404, 429, 503]) {
      const { quic, connecting, answer } = await dial(EXTENDED_CONNECT, DRAFT02);
      answer(status);
      await assert.rejects(connecting, new RegExp(`expected 200, got: ${status}`));
      assert.deepEqual(quic.closedWith, { closeCode: 0x100, reason: "" });
    }
  });

  it("rejects a malformed answer, and one that does not come to its end", async () => {
    for (
      const bytes of [[0x00, 0x01, 0x00], [0x01, 0x02, 0x00, 0x00], [
        0x01,
        0xd0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
      ]]
    ) {
      const { request, connecting } = await dial(EXTENDED_CONNECT, DRAFT02);
      request.send(...bytes);
      await assert.rejects(connecting, /malformed/);
    }
    const { request, connecting } = await dial(EXTENDED_CONNECT, DRAFT02);
    request.fin();
    await assert.rejects(connecting, /malformed/);
  });

  it("rejects with what the peer closed the connection with", async () => {
    const { quic, connecting } = await dial(EXTENDED_CONNECT, DRAFT02);
    quic.peerCloses(403, "forbidden");
    await assert.rejects(connecting, /connection closed by peer: forbidden \(code 403\)/);
  });

  it("resolves draining at a GOAWAY", async () => {
    const { control, connecting, answer } = await dial(EXTENDED_CONNECT, DRAFT02);
    answer(200);
    const session = await connecting;
    control.send(0x07, 0x01, 0x04);
    await session.draining;
  });
});

describe("encodeRequestHeader() and decodeStatus()", () => {
  it("are read by the other side, independent of the authority and the path", () => {
    const text = fc.string({ unit: "grapheme-ascii", maxLength: 300 });
    fc.assert(
      fc.property(text, text, (authority, path) => {
        const bytes = encodeRequestHeader({ protocol: "webtransport", authority, path });
        const header = decodeRequestHeader(bytes);
        assert.deepEqual([header?.authority, header?.path], [authority, path]);
      }),
      { seed },
    );
  });

  it("read every status that servers write, from the static table too", () => {
    for (const status of [100, 200, 204, 404, 599]) {
      assert.equal(decodeStatus(encodeResponseHeader(status)), status);
    }
    // Index 25 of the static table is 200, 27 is 404 (RFC 9204 appendix A); 63 and above take two bytes.
    assert.equal(decodeStatus(Uint8Array.of(0, 0, 0xd9)), 200);
    assert.equal(decodeStatus(Uint8Array.of(0, 0, 0xdb)), 404);
    assert.equal(decodeStatus(Uint8Array.of(0, 0, 0xff, 0x08)), 500);
    for (const bytes of [[0, 0], [0, 0, 0xd9, 0xd9], [1, 0, 0xd9], [0, 0, 0x5f, 0x09, 1, 0x41]]) {
      assert.equal(decodeStatus(Uint8Array.from(bytes)), undefined);
    }
  });
});
