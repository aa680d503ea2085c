import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatBytes, equalBytes } from "../../src/base/bytes.ts";
import {
  AudioFrameEncoder,
  type CallEvent,
  encodeFrame,
  encodeRequest,
  type Method,
  methods,
} from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import type { RawClient } from "../support/raw_client.ts";
import { TestGateway } from "../support/tenant_kit.ts";

const unlimited = {
  rpcsPerSecond: Infinity,
  rpcsPerSecondPerTenant: Infinity,
  callsPerSecond: Infinity,
} as const;

const dial = { trunkId: "main", to: "+15550100", defaultApp: 1 } as const;
const SID = "0b9ae3e7-9a4d-4f5c-8ac4-0123456789ab";

const everyMethod: readonly Method<unknown, unknown>[] = Object.values(methods);

/** One request of every method, each with something in its fields. */
const requests: readonly (readonly [Method<unknown, unknown>, Uint8Array])[] = everyMethod.filter((
  { reply },
) => reply !== undefined).map((method) => [
  method,
  encodeRequest(method, {
    callSid: SID,
    trunkId: "main",
    to: "+15550100",
    clientId: "c",
    adminToken: "x",
    tenantId: "acme",
    defaultApp: 1,
    publicKeyPem: "-----BEGIN PUBLIC KEY-----",
  }),
]);

async function withCall(setup: TestGateway): Promise<RawClient> {
  const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
  await client.rpc(methods.Originate, { ...dial, callSid: SID, clientId: "c" });
  await setup.clock.advance(200);
  return client;
}

/** The session works: a request is answered, and a frame comes back. */
async function assertAlive(client: RawClient, sequenceNumber = 0): Promise<void> {
  const before = client.audio.length;
  const uplink = await client.openAudio();
  const payload = new Uint8Array(160).fill(7);
  await uplink.send({ callSid: SID, codec: "PCMU", payload, sequenceNumber });
  await settle();
  assert.equal(client.audio.length, before + 1);
  await uplink.finish();
  const { fault } = await client.rpc(methods.Barge, { callSid: "other" });
  assert.equal(fault.errorCode, 7);
}

describe("G-03 length prefixes", () => {
  it("G-03 resets a request whose length is a lie, and keeps the session", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const good = encodeRequest(methods.Terminate, { callSid: SID });
    for (const length of [0, 3, 4, good.length + 1, good.length - 1, 0x7fffffff, 0xffffffff]) {
      const bad = good.slice();
      new DataView(bad.buffer).setUint32(0, length, true);
      const { bytes, isReset } = await client.exchange(methods.Terminate, bad);
      assert.deepEqual([bytes.length, isReset], [0, true], String(length));
    }
    assert.equal(setup.gateway.stats().streams.malformed, 7);
    await assertAlive(client);
  });

  it("G-03 stops audio whose length is a lie, and keeps the session", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const good = encodeFrame(methods.AudioFrame, { callSid: SID, codec: "PCMU" });
    for (const length of [0, 3, good.length, good.length - 5, 0x7fffffff, 0xffffffff]) {
      const bad = good.slice();
      new DataView(bad.buffer).setUint32(0, length, true);
      const uplink = await client.openAudio();
      uplink.write(bad).catch(() => {});
      assert.ok(await uplink.stopped instanceof Error, String(length));
    }
    await assertAlive(client);
  });

  it("G-03 resets a request over 64 KiB and audio over 64 KiB by their prefix, before the bytes come", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const prefix = (size: number, id: number) => {
      const head = new DataView(new ArrayBuffer(14));
      head.setUint32(0, size + 14, true);
      head.setUint32(4, id, true);
      head.setInt32(10, size, true);
      return new Uint8Array(head.buffer);
    };
    const { isReset } = await client.exchange(
      methods.Terminate,
      prefix(65_536, methods.Terminate.id),
      { finish: false },
    );
    assert.equal(isReset, true);
    const head = prefix(65_536, methods.AudioFrame.id);
    new DataView(head.buffer).setUint32(0, 65_536 + 10, true);
    const uplink = await client.openAudio();
    uplink.write(head).catch(() => {});
    assert.ok(await uplink.stopped instanceof Error);
    await assertAlive(client);
  });

  it("G-03 resets a frame that never ends when its time is over", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const stream = await client.open();
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    const whole = encodeRequest(methods.Originate, { ...dial, callFrom: "x".repeat(60_000) });
    for (let second = 0; second < 9; second++) {
      await writer.write(whole.subarray(second * 100, second * 100 + 100));
      await setup.clock.advance(1_000);
    }
    assert.equal(setup.gateway.stats().streams.timedOut, 0);
    await setup.clock.advance(1_000);
    assert.equal(setup.gateway.stats().streams.timedOut, 1);
    await assert.rejects(writer.write(new Uint8Array(1)));
    await assertAlive(client);
  });
});

describe("G-04 truncated requests", () => {
  it("G-04 carries nothing out for a request cut at any byte, by FIN or by reset, of any method", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const { rpcs } = setup.gateway.stats();
    let cuts = 0;
    for (const [method, request] of requests) {
      for (let length = 0; length < request.length; length++) {
        const cut = request.subarray(0, length);
        if (length % 2 === 0) {
          const { bytes } = await client.exchange(method, cut);
          assert.equal(bytes.length, 0, `${method.name} cut at ${length}`);
        } else {
          const stream = await client.open();
          const writer = stream.writable.getWriter();
          await writer.write(cut);
          await writer.abort();
          await stream.readable.cancel().catch(() => {});
        }
        cuts++;
      }
    }
    assert.ok(cuts > 1_200, `${cuts} cuts`);
    await settle();
    assert.deepEqual(setup.gateway.stats().rpcs, rpcs);
    // Nothing is left of the broken streams: the one timer watches the session's end.
    assert.equal(setup.clock.pending, 1);
    await assertAlive(client);
  });
});

describe("G-05 chunks", () => {
  it("G-05 answers the same for every split of a request into two and three chunks, and byte by byte", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const request = encodeRequest(methods.Terminate, { callSid: "x" });
    const { bytes: expected } = await client.exchange(methods.Terminate, request);
    assert.ok(expected.length > 20);
    const splits: Uint8Array[][] = [[...request].map((byte) => new Uint8Array([byte]))];
    for (let i = 1; i < request.length; i++) {
      splits.push([request.subarray(0, i), request.subarray(i)]);
      for (let j = i + 1; j < request.length; j++) {
        splits.push([request.subarray(0, i), request.subarray(i, j), request.subarray(j)]);
      }
    }
    for (const chunks of splits) {
      const { bytes } = await client.exchange(methods.Terminate, chunks);
      assert.ok(equalBytes(bytes, expected), chunks.map(({ length }) => length).join("+"));
    }
  });

  it("G-05 hears the same for every split of two frames of audio", async () => {
    await using setup = new TestGateway({
      limits: { ...unlimited, audioFramesPerSecond: Infinity },
    });
    const client = await withCall(setup);
    const frames = concatBytes([0, 1].map((sequenceNumber) =>
      encodeFrame(methods.AudioFrame, {
        callSid: SID,
        codec: "PCMU",
        sequenceNumber,
        payload: new Uint8Array([1, 2, 3 + sequenceNumber]),
      })
    ));
    for (let i = 1; i < frames.length; i++) {
      const uplink = await client.openAudio();
      await uplink.write(frames.subarray(0, i));
      await uplink.write(frames.subarray(i));
      await uplink.finish();
      await settle();
      const heard = client.audio.splice(0).map(({ payload }) => [...payload]);
      assert.deepEqual(heard, [[1, 2, 3], [1, 2, 4]], `split at ${i}`);
    }
  });
});

describe("G-06 hostile envelopes", () => {
  it("G-06 hears audio of any number that the wire can have, and goes on", async () => {
    for (const high of [0, 1, 0x1fffff, 0x200000, 0x7fffffff, 0xffffffff]) {
      await using setup = new TestGateway();
      const client = await withCall(setup);
      const uplink = await client.openAudio();
      const frame = new AudioFrameEncoder({ callSid: SID, codec: "PCMU" })
        .encode(new Uint8Array(160), 64);
      await uplink.write(frame);
      // The number is the 64 bits before the last byte.
      new DataView(frame.buffer).setUint32(frame.length - 5, high, true);
      await uplink.write(frame);
      await settle();
      await assertAlive(client);
    }
  });

  it("G-06 refuses an envelope whose inside does not fit, in words, and keeps the session", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const good = encodeRequest(methods.Terminate, { callSid: "abcd" });
    const patch = (change: (view: DataView) => void) => {
      const bad = good.slice();
      change(new DataView(bad.buffer));
      return bad;
    };
    const inside = {
      "negative string length": patch((view) => view.setInt32(14, -1, true)),
      "string past the envelope's end": patch((view) => view.setInt32(14, 5, true)),
      "longest string": patch((view) => view.setInt32(14, 0x7fffffff, true)),
      "compat_version above ours": patch((view) => view.setUint16(8, 0x0101, true)),
      "invalid UTF-8": patch((view) => view.setUint8(18, 0xff)),
    };
    for (const [name, bytes] of Object.entries(inside)) {
      const { reply } = await client.exchange(methods.Terminate, bytes);
      assert.equal(reply?.errorCode, 6, name);
      assert.equal(reply?.errorMessage, "The request is malformed", name);
    }
    const outside = {
      "payload_size beyond the frame": patch((view) => view.setInt32(10, 9, true)),
      "negative payload_size": patch((view) => view.setInt32(10, -1, true)),
      "largest payload_size": patch((view) => view.setInt32(10, 0x7fffffff, true)),
    };
    for (const [name, bytes] of Object.entries(outside)) {
      const { isReset } = await client.exchange(methods.Terminate, bytes);
      assert.equal(isReset, true, name);
    }
    await assertAlive(client);
  });

  it("G-06 refuses a list that claims 4 billion elements without making room for them", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const request = encodeRequest(methods.AddTrunk, { trunkId: "t", codecPreferences: ["PCMU"] });
    const text = [...request].map((byte) => String.fromCharCode(byte)).join("");
    const count = text.indexOf("PCMU") - 8;
    new DataView(request.buffer).setUint32(count, 0xffffffff, true);
    const { fault } = await client.exchange(methods.AddTrunk, request);
    assert.equal(fault.errorCode, 6);
    await assertAlive(client);
  });
});

describe("G-07 hostile text", () => {
  const texts = ["a\0b", "a\r\nVia: evil", "a\nb", "\u2028", "\x7f", "\u0085", "x".repeat(60_000)];

  it("G-07 refuses control characters and endless text in every text field of every request", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const spared = new Set(["publicKeyPem", "adminPublicKeyPem", "csvUrl"]);
    let checked = 0;
    for (const method of everyMethod) {
      if (method.reply === undefined || method.name === "Authenticate") continue;
      for (const { name, default: value } of method.request.fields) {
        if (typeof value !== "string" || spared.has(name)) continue;
        for (const text of texts) {
          const { reply, fault, isReset } = await client.rpc(method, { [name]: text });
          if (reply === undefined && isReset) continue; // not served here
          const code = fault.errorCode === -1 ? 6 : fault.errorCode;
          assert.equal(code, 6, `${method.name}.${name} ${JSON.stringify(text.slice(0, 9))}`);
          assert.match(fault.errorMessage, /malformed/);
          checked++;
        }
      }
    }
    assert.ok(checked > 200, `${checked} refusals`);
    await assertAlive(client);
  });

  it("G-07 refuses what is not a number and no SIP URI as destination", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const code = async (to: string) =>
      (await client.rpc(methods.Originate, { ...dial, to })).reply?.errorCode;
    const bad = [
      ..."|5550100|+|+0155501|+1555010a|+12345678901234567|tel:+15550100|sip:|sip:@b|sip:a@|a@b"
        .split("|"),
      ..."sip:a b@c|sip:a@b c|sip:a@b;|sip:a@b>,<sip:x@y|sip:a@b?Route=x|javascript:alert(1)"
        .split("|"),
    ];
    for (const to of bad) assert.equal(await code(to), 2, to);
    const good = [
      ..."+15550100|+442071838750|sip:alice@example.org|sips:bob@[::1]:5061;transport=tls".split(
        "|",
      ),
      "sip:+15550100@10.0.0.1:5060",
    ];
    for (const to of good) assert.equal(await code(to), 0, to);
  });

  it("G-07 logs one escaped line a record, for any text of a peer", async () => {
    const records: unknown[] = [];
    await using setup = new TestGateway({
      limits: unlimited,
      log: (record) => void records.push(record),
    });
    const client = await withCall(setup);
    for (const text of [...texts, "\x1b[2J", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"]) {
      await client.rpc(methods.Originate, { ...dial, callSid: text, callFrom: text });
      await client.rpc(methods.Terminate, { callSid: text });
      await client.rpc(methods.StreamEvents, { clientId: text });
    }
    for (const record of records) {
      for (const value of Object.values(record as Record<string, unknown>)) {
        if (typeof value !== "string") continue;
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(value, /[\x00-\x1f\x7f-\x9f\u2028\u2029]|eyJ/);
        assert.ok(value.length < 600);
      }
    }
    assert.ok(records.length > 20);
  });

  it("G-07 takes emoji, CJK and right-to-left text where text is free", async () => {
    await using setup = new TestGateway({ limits: unlimited });
    const client = await withCall(setup);
    const callFrom = "\u{1f4de} \u65e5\u672c \u05e9\u05dc\u05d5\u05dd";
    const { reply } = await client.rpc(methods.Originate, {
      ...dial,
      callFrom,
      clientId: callFrom,
    });
    assert.equal(reply?.errorCode, 0);
    await settle();
    const [event] = client.events.slice(-1) as CallEvent[];
    assert.equal(event?.clientId, callFrom);
  });
});
