import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { encodeHex } from "../../../../src/base/bytes.ts";
import {
  decodeVarint,
  encodeVarint,
  readStreamHeader,
} from "../../../../src/transport/http3/stream_header.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { PeerStream } from "../../../support/fake_quic.ts";

async function readRest(readable: ReadableStream<Uint8Array>): Promise<number[]> {
  const reader = readable.getReader();
  const bytes: number[] = [];
  while (true) {
    const { value, done } = await reader.read();
    if (done) return bytes;
    bytes.push(...value);
  }
}

describe("encodeVarint() and decodeVarint()", () => {
  // RFC 9000 appendix A.1 has the encodings of 37, 15293 and 494878333.
  const cases: readonly (readonly [value: number, hex: string])[] = [
    [0, "00"],
    [37, "25"],
    [63, "3f"],
    [64, "4040"],
    [0x41, "4041"],
    [0x54, "4054"],
    [15_293, "7bbd"],
    [16_383, "7fff"],
    [16_384, "80004000"],
    [494_878_333, "9d7f3e7d"],
    [2 ** 30 - 1, "bfffffff"],
    [2 ** 30, "c000000040000000"],
    [0xc671706a, "c0000000c671706a"],
    [Number.MAX_SAFE_INTEGER, "c01fffffffffffff"],
  ];
  for (const [value, hex] of cases) {
    it(`agree on ${value}`, () => {
      const bytes = encodeVarint(value);
      assert.equal(encodeHex(bytes), hex);
      assert.deepEqual(decodeVarint(bytes), { value, end: bytes.length });
      assert.equal(decodeVarint(bytes.subarray(0, -1)), undefined);
    });
  }

  it("take longer forms than needed, and the largest (RFC 9000 appendix A.1)", () => {
    assert.deepEqual(decodeVarint(Uint8Array.of(0x40, 0x25)), { value: 37, end: 2 });
    const largest = Uint8Array.of(0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c);
    assert.deepEqual(decodeVarint(largest), { value: 151_288_809_941_952_652, end: 8 });
  });
});

describe("readStreamHeader()", () => {
  const headers: readonly (readonly [name: string, bytes: number[], type: number, id: number])[] = [
    ["a bidirectional stream of session 0", [0x40, 0x41, 0x00], 0x41, 0],
    ["a one-way stream of session 0", [0x40, 0x54, 0x00], 0x54, 0],
    ["a two-byte session number", [0x40, 0x54, 0x41, 0x00], 0x54, 0x100],
    ["an eight-byte session number", [0x40, 0x41, 0xc0, 0, 0, 0, 0, 0, 0, 4], 0x41, 4],
    ["a type in four bytes", [0x80, 0, 0, 0x41, 0x00], 0x41, 0],
    ["a type in eight bytes", [0xc0, 0, 0, 0, 0, 0, 0, 0x54, 0x04], 0x54, 4],
  ];
  for (const [name, header, type, sessionId] of headers) {
    it(`reads ${name} however it is cut, and nothing of the contents`, async () => {
      const contents = [1, 2, 3, 4, 5];
      const all = [...header, ...contents];
      for (let cut = 1; cut < all.length; cut++) {
        const stream = new PeerStream();
        const read = readStreamHeader(stream.readable, { timeoutMs: Infinity });
        stream.send(...all.slice(0, cut));
        await Promise.resolve();
        stream.send(...all.slice(cut));
        const expected = { type, sessionId, head: Uint8Array.from(header) };
        assert.deepEqual(await read, expected, `cut at ${cut}`);
        stream.fin();
        assert.deepEqual(await readRest(stream.readable), contents, `cut at ${cut}`);
      }
    });
  }

  it("returns the type of HTTP/3's own streams, and what was read of them", async () => {
    for (const type of [0x00, 0x02, 0x03, 0x21]) {
      const stream = new PeerStream();
      stream.send(type);
      const header = await readStreamHeader(stream.readable, { timeoutMs: Infinity });
      assert.deepEqual(header, { type, sessionId: -1, head: Uint8Array.of(type) });
      assert.equal(stream.readable.locked, false);
    }
  });

  it("returns undefined for a stream that ends or is reset inside its header", async () => {
    for (const end of ["fin", "reset"] as const) {
      for (const sent of [[], [0x40], [0x40, 0x41], [0x40, 0x41, 0x40]]) {
        const stream = new PeerStream();
        const read = readStreamHeader(stream.readable, { timeoutMs: Infinity });
        if (sent.length > 0) stream.send(...sent);
        await settle();
        stream[end]();
        assert.equal(await read, undefined);
      }
    }
  });

  it("gives a silent stream up after five seconds, and reports it to the peer", async () => {
    const clock = new FakeClock();
    const stream = new PeerStream();
    const read = readStreamHeader(stream.readable, { clock });
    stream.send(0x40, 0x41);
    await clock.advance(4_999);
    assert.equal(stream.cancelled, false);
    await clock.advance(1);
    assert.equal(await read, undefined);
    assert.equal(stream.cancelled, true);
    assert.equal(clock.pending, 0);
  });

  it("leaves no timer behind", async () => {
    const clock = new FakeClock();
    const stream = new PeerStream();
    stream.send(0x40, 0x41, 0x00);
    await readStreamHeader(stream.readable, { clock });
    assert.equal(clock.pending, 0);
  });
});
