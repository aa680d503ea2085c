import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  isVersionNegotiation,
  probePacket,
  probeQuic,
} from "../../../../src/cli/diagnosis/quic_probe.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

type Handlers = Parameters<Parameters<typeof probeQuic>[0]["platform"]["datagram"]>[1];

/** A network that does with each datagram what the test says. */
function network(react: (bytes: Uint8Array, handlers: Handlers, count: number) => void) {
  const counts = { sent: 0, open: 0 };
  return {
    counts,
    datagram(to: { readonly bytes: Uint8Array }, handlers: Handlers) {
      counts.sent++;
      counts.open++;
      react(to.bytes, handlers, counts.sent);
      return () => void counts.open--;
    },
  };
}

/** A Version Negotiation packet in answer to a probe: the ids change places (RFC 9000 section 17.2.1). */
function answerTo(probe: Uint8Array): Uint8Array {
  const [destination, source] = [probe.slice(6, 14), probe.slice(15, 23)];
  return new Uint8Array([0x80, 0, 0, 0, 0, 8, ...source, 8, ...destination, 0, 0, 0, 1]);
}

async function probe(
  react: (bytes: Uint8Array, handlers: Handlers, count: number) => void,
  options: { readonly signal?: AbortSignal; readonly advanceMs?: number } = {},
) {
  const clock = new FakeClock();
  const platform = network(react);
  const { signal, advanceMs = 5_000 } = options;
  const probing = probeQuic({
    hostname: "gateway.test",
    port: 9090,
    platform,
    clock,
    ...(signal !== undefined && { signal }),
  });
  await clock.advance(advanceMs);
  const result = await probing;
  assert.equal(clock.pending, 0, "no timer is left");
  assert.equal(platform.counts.open, 0, "no socket is left");
  return { result, sent: platform.counts.sent };
}

describe("probeQuic()", () => {
  it("knows a QUIC server by its answer, and how long it took", async () => {
    const { result, sent } = await probe((bytes, { onReply }) => onReply(answerTo(bytes)));
    assert.deepEqual(result, { type: "quic", roundTripMs: 0 });
    assert.equal(sent, 1);
  });

  it("asks again when a datagram is lost", async () => {
    const { result, sent } = await probe((bytes, { onReply }, count) => {
      if (count === 3) onReply(answerTo(bytes));
    });
    assert.deepEqual(result, { type: "quic", roundTripMs: 1_500 });
    assert.equal(sent, 3);
  });

  it("distinguishes other replies from QUIC", async () => {
    const { result } = await probe((bytes, { onReply }) => onReply(bytes));
    assert.equal(result.type, "other");
  });

  it("passes on what the system says", async () => {
    for (
      const [code, type] of [
        ["ECONNREFUSED", "refused"],
        ["ENOTFOUND", "no-address"],
        ["EACCES", "forbidden"],
        ["EHOSTUNREACH", "silence"],
      ]
    ) {
      const { result } = await probe((_, { onError }) => onError(code!));
      assert.equal(result.type, type);
    }
  });

  it("gives up after three seconds of silence, or when the signal aborts", async () => {
    assert.equal((await probe(() => {})).result.type, "silence");
    const signal = AbortSignal.abort();
    assert.equal((await probe(() => {}, { advanceMs: 0, signal })).result.type, "silence");
  });
});

it("probePacket() is a long header of 1200 bytes with a reserved version and both ids", () => {
  const packet = probePacket(new Uint8Array(8).fill(1), new Uint8Array(8).fill(2));
  assert.equal(packet.length, 1_200);
  assert.equal(packet[0]! & 0xc0, 0xc0);
  const version = new DataView(packet.buffer).getUint32(1);
  assert.equal(version & 0x0f0f0f0f, 0x0a0a0a0a);
  assert.deepEqual([...packet.subarray(5, 23)], [8, ...Array(8).fill(1), 8, ...Array(8).fill(2)]);
});

it("isVersionNegotiation() refuses what is cut off, of another version, short header or for another client", () => {
  const source = new Uint8Array(8).fill(2);
  const good = answerTo(probePacket(new Uint8Array(8).fill(1), source));
  assert.ok(isVersionNegotiation(good, source));
  for (let length = 0; length < 14; length++) {
    assert.ok(!isVersionNegotiation(good.subarray(0, length), source), `${length} bytes`);
  }
  for (const at of [0, 4, 5, 6, 13]) {
    const bad = good.slice();
    bad[at]! ^= 0x80;
    assert.ok(!isVersionNegotiation(bad, source), `byte ${at}`);
  }
});
