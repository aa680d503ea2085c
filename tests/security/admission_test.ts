import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatBytes } from "../../src/base/bytes.ts";
import { encodeFrame, encodeRequest, methods, ReplyReader } from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import type { RawClient } from "../support/raw_client.ts";
import { TestGateway } from "../support/tenant_kit.ts";

/** Everything that a session which never showed a good token may have caused: nothing. */
function assertNothingDone(setup: TestGateway): void {
  const { rpcs, calls, events, audio } = setup.gateway.stats();
  assert.deepEqual({ rpcs, calls, events, audio }, {
    rpcs: {},
    calls: { live: 0, total: 0 },
    events: { sent: 0, unheard: 0 },
    audio: { received: 0, sent: 0, dropped: 0, refused: 0 },
  });
}

async function assertClosedAs(
  client: RawClient,
  setup: TestGateway,
  reason: string,
): Promise<void> {
  await setup.clock.advance(250);
  await settle();
  assert.deepEqual(client.closeInfo, { closeCode: 401, reason });
}

describe("G-01 slow sessions", () => {
  it("G-01 closes 5,000 silent or dripping sessions in time, and admits a valid one at any moment", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const opened: { client: RawClient; at: number; closedAt: number }[] = [];
    const drips: WritableStreamDefaultWriter<Uint8Array>[] = [];
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 500; i++) {
        const number = second * 500 + i;
        const address = `203.0.${number >> 8}.${number & 255}`;
        const client = setup.dial({ address, reads: false });
        const entry = { client, at: setup.clock.monotonic(), closedAt: Infinity };
        void client.closed.then(() => entry.closedAt = setup.clock.monotonic());
        opened.push(entry);
        if (i % 5 === 0) drips.push((await client.open()).writable.getWriter());
      }
      for (const drip of drips) drip.write(new Uint8Array(1)).catch(() => {});
      await settle();
      assert.ok(setup.gateway.stats().sessions.pending <= 256);
      // No clock moves here: the good one is let in before anything else happens.
      const good = await setup.connect(acme, { address: "198.51.100.1", clientId: "good" });
      good.close();
      await setup.clock.advance(1_000);
    }
    await setup.clock.advance(6_000);
    await Promise.all(setup.served);
    for (const { at, closedAt } of opened) assert.ok(closedAt - at <= 5_500, `${closedAt - at} ms`);
    const { sessions, rpcs } = setup.gateway.stats();
    assert.equal(sessions.pending, 0);
    assert.equal(sessions.accepted, 10);
    assert.equal(sessions.evicted + sessions.refused.rejected, 5_000);
    assert.deepEqual(rpcs, { StreamEvents: 10 });
    assert.equal(setup.clock.pending, 0);
  });

  it("G-01 gives a silent session 5 seconds and not one more, and says why", async () => {
    const reasons: (string | undefined)[] = [];
    await using setup = new TestGateway({ log: ({ reason }) => void reasons.push(reason) });
    const silent = setup.dial();
    await setup.clock.advance(4_999);
    assert.equal(silent.isClosed, false);
    await setup.clock.advance(1);
    await assertClosedAs(silent, setup, "rejected");
    assert.ok(reasons.includes("No token came within 5000 ms"), String(reasons));
    assert.equal(setup.clock.pending, 0);
  });

  it("G-01 holds at most 16 sessions of one address, and loopback to the common bound alone", async () => {
    await using setup = new TestGateway();
    for (let i = 0; i < 40; i++) setup.dial({ address: "203.0.113.7", reads: false });
    const local = Array.from({ length: 40 }, () => setup.dial({ reads: false }));
    await settle();
    const { pending, evicted } = setup.gateway.stats().sessions;
    assert.deepEqual({ pending, evicted }, { pending: 16 + 40, evicted: 24 });
    assert.ok(local.every(({ isClosed }) => !isClosed));
  });

  it("G-01 evicts the one that has waited longest", async () => {
    await using setup = new TestGateway({ limits: { handshakes: 3 } });
    const clients = Array.from({ length: 5 }, () => setup.dial());
    await settle();
    assert.deepEqual(clients.map(({ isClosed }) => isClosed), [true, true, false, false, false]);
    assert.deepEqual(clients[0]!.closeInfo, {
      closeCode: 429,
      reason: "too many sessions without a token",
    });
  });
});

describe("G-02 anything before the token", () => {
  const originate = encodeRequest(methods.Originate, { trunkId: "main", to: "+15550100" });
  const audio = encodeFrame(methods.AudioFrame, { callSid: "s", codec: "PCMU" });

  it("G-02 refuses an RPC in the token's place", async () => {
    await using setup = new TestGateway();
    await setup.addTenant("acme");
    const client = setup.dial();
    const { reply } = await client.exchange(methods.Authenticate, originate);
    assert.deepEqual(reply, {
      status: "ERROR",
      errorMessage: "rejected",
      errorCode: 7,
      tenantId: "",
      expiresAtMs: 0,
      serverTimeMs: setup.clock.now(),
    });
    await assertClosedAs(client, setup, "rejected");
    assertNothingDone(setup);
  });

  it("G-02 refuses audio first, and events first", async () => {
    await using setup = new TestGateway();
    const talker = setup.dial();
    const uplink = await talker.openAudio();
    uplink.write(audio).catch(() => {});
    await assertClosedAs(talker, setup, "rejected");
    const listener = setup.dial();
    const subscribe = encodeRequest(methods.StreamEvents, { clientId: "c" });
    const { reply } = await listener.exchange(methods.Authenticate, subscribe);
    assert.equal(reply?.errorMessage, "rejected");
    await assertClosedAs(listener, setup, "rejected");
    assertNothingDone(setup);
  });

  it("G-02 refuses even a good token when another stream is opened before it is accepted", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const token = await setup.token(acme);
    for (const kind of ["bidirectional", "unidirectional"]) {
      const client = setup.dial();
      const first = client.rpc(methods.Authenticate, { token });
      const second = kind === "bidirectional"
        ? client.exchange(methods.Originate, originate)
        : client.openAudio().then((uplink) => uplink.stopped);
      assert.equal((await first).reply?.errorMessage, "rejected", kind);
      await second;
      await assertClosedAs(client, setup, "rejected");
    }
    assertNothingDone(setup);
  });

  it("G-02 resets streams that are opened after the refusal", async () => {
    await using setup = new TestGateway();
    const client = setup.dial();
    await client.rpc(methods.Authenticate, { token: "x" });
    const late = await client.exchange(methods.Originate, originate);
    assert.deepEqual([late.isReset, late.bytes.length], [true, 0]);
    await assertClosedAs(client, setup, "rejected");
    assertNothingDone(setup);
  });

  it("G-02 takes no second token: one attempt, and what follows on the first stream is not read as one", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const bad = encodeRequest(methods.Authenticate, { token: "x" });
    const good = encodeRequest(methods.Authenticate, { token: await setup.token(acme) });
    const client = setup.dial();
    const { reply } = await client.exchange(methods.Authenticate, [bad, good]);
    assert.equal(reply?.errorMessage, "rejected");
    await assertClosedAs(client, setup, "rejected");
    assertNothingDone(setup);
  });

  it("G-02 refuses a first request that is empty, cut, too large or no frame", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const good = encodeRequest(methods.Authenticate, { token: await setup.token(acme) });
    const bad = {
      empty: new Uint8Array(),
      cut: good.subarray(0, 40),
      "too large": encodeRequest(methods.Authenticate, { token: "x".repeat(8_200) }),
      "no frame": new Uint8Array(64).fill(0xff),
      "wrong length": good.map((byte, i) => i === 0 ? byte ^ 1 : byte),
      "envelope of another version": good.map((byte, i) => i === 9 ? 9 : byte),
    };
    for (const [name, bytes] of Object.entries(bad)) {
      const client = setup.dial();
      const { reply } = await client.exchange(methods.Authenticate, bytes);
      assert.equal(reply?.errorMessage, "rejected", name);
      await assertClosedAs(client, setup, "rejected");
    }
    assert.equal(setup.gateway.stats().sessions.accepted, 0);
    assertNothingDone(setup);
  });

  it("G-02 reads a token that comes byte by byte, under both length rules, and answers before the FIN", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const token = await setup.token(acme);
    for (const requestLength of ["inclusive", "exclusive"] as const) {
      const client = setup.dial();
      const request = encodeRequest(methods.Authenticate, { token }, { requestLength });
      const stream = await client.open();
      const writer = stream.writable.getWriter();
      for (const byte of request) await writer.write(new Uint8Array([byte]));
      const reply = await readReply(stream.readable);
      assert.deepEqual([reply?.status, reply?.tenantId], ["OK", "acme"]);
      client.close();
    }
  });

  it("G-02 refuses a token behind 4 KiB of other fields", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const token = await setup.token(acme);
    const fits = setup.dial();
    const { reply } = await fits.rpc(methods.Authenticate, { token, sdk: "x".repeat(4_000) });
    assert.equal(reply?.status, "OK");
    const bulky = setup.dial();
    const refused = await bulky.rpc(methods.Authenticate, { token, sdk: "x".repeat(8_200) });
    assert.equal(refused.reply?.errorMessage, "rejected");
  });
});

async function readReply(stream: ReadableStream<Uint8Array>) {
  const replies = new ReplyReader(methods.Authenticate);
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  while (true) {
    const { value, done } = await reader.read();
    if (done) return replies.push(concatBytes(chunks));
    const reply = replies.push(value);
    if (reply !== undefined) return reply;
  }
}

describe("G-21 origins", () => {
  const origin = "https://good.example";

  async function knock(
    pinned: string | undefined,
    shown: string | undefined,
    requireOrigin = false,
  ): Promise<string | undefined> {
    await using setup = new TestGateway({ requireOrigin });
    const acme = await setup.addTenant("acme");
    const claims = pinned === undefined ? {} : { claims: { origin: pinned } };
    const lifetimeSeconds = 300;
    const token = await setup.token(acme, { ...claims, lifetimeSeconds });
    const client = setup.dial(shown === undefined ? {} : { origin: shown });
    const reply = await client.authenticate(token);
    return reply?.status === "OK" ? "OK" : reply?.errorMessage;
  }

  it("G-21 lets a pinned token in from its own origin only", async () => {
    assert.equal(await knock(origin, origin), "OK");
    const others = [
      "https://good.example.evil.com",
      "https://GOOD.example",
      "https://good.example:443",
      "https://good.example:8443",
      "https://good.example/",
      "https://good.example/path",
      "http://good.example",
      "null",
      "",
      " https://good.example",
    ];
    for (const other of others) assert.equal(await knock(origin, other), "rejected", other);
  });

  it("G-21 refuses a pinned token without a known origin when it is configured to", async () => {
    assert.equal(await knock(origin, undefined), "OK");
    assert.equal(await knock(origin, undefined, true), "rejected");
    assert.equal(await knock(undefined, undefined, true), "OK");
    assert.equal(await knock(undefined, "https://any.example"), "OK");
  });
});

describe("G-23 paths", () => {
  it("G-23 has one path: any other is closed with 404 and nothing of it is kept", async () => {
    await using setup = new TestGateway();
    for (const path of ["/admin", "//", "/%2e", "/.", "/media/x", "/?x=1/..", "?", "/a?b"]) {
      const client = setup.dial({ path });
      await settle();
      const isServed = path.startsWith("/?");
      assert.equal(client.isClosed, !isServed, path);
      if (!isServed) assert.deepEqual(client.closeInfo, { closeCode: 404, reason: "not found" });
    }
    assert.equal(setup.gateway.stats().sessions.pending, 1);
    assert.deepEqual(setup.gateway.stats().sessions.refused.rejected, 0);
  });

  it("G-23 takes a token from the URL only when it is configured to", async () => {
    for (const acceptQueryToken of [false, true]) {
      await using setup = new TestGateway({ acceptQueryToken });
      const acme = await setup.addTenant("acme");
      const client = setup.dial({ path: `/?token=${await setup.token(acme)}` });
      // It need not wait: its first stream is only looked at after the token.
      const originate = { trunkId: "main", to: "+15550100", defaultApp: 1 };
      const { reply } = acceptQueryToken
        ? await client.rpc(methods.Originate, originate)
        : await client.exchange(
          methods.Authenticate,
          encodeRequest(methods.Originate, originate),
        );
      assert.equal(reply?.status, acceptQueryToken ? "QUEUED" : "ERROR");
      const bad = setup.dial({ path: "/?token=x" });
      if (acceptQueryToken) await assertClosedAs(bad, setup, "rejected");
    }
  });
});
