import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DialplanAction,
  encodeFrame,
  encodeRequest,
  methods,
  parseCallSids,
} from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import { turn } from "../support/quick_clock.ts";
import type { RawClient } from "../support/raw_client.ts";
import { TestGateway } from "../support/tenant_kit.ts";

const FLOOD = { code: 429, reason: "too many requests", reconnect: false };
const barge = encodeRequest(methods.Barge, { callSid: "other" });

/** Keeps `width` of `work` under way until `total` have gone through, or the session is over. Returns how many did. */
async function repeat(
  client: RawClient,
  work: () => Promise<unknown>,
  total = 2_000,
  width = 20,
): Promise<number> {
  let done = 0;
  const lane = async (): Promise<void> => {
    let pause = 1;
    while (done < total && !client.isClosed && client.endings.length === 0) {
      try {
        await work();
        done++;
        pause = 1;
      } catch {
        // Out of stream credit, or reset: the other side needs some turns. Not until all is quiet, which it is not while others flood.
        for (let i = 0; i < pause; i++) await turn();
        pause = Math.min(2 * pause, 64);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return done;
}

/** Ways to be a nuisance, each on an authenticated session. */
const nuisances: Readonly<Record<string, (client: RawClient) => () => Promise<unknown>>> = {
  "RPCs": (client) => () => client.exchange(methods.Barge, barge),
  "streams opened and reset": (client) => async () => {
    const { readable, writable } = await client.open();
    await Promise.all([writable.abort(), readable.cancel()]);
  },
  "streams opened and reset in mid-request": (client) => async () => {
    const { readable, writable } = await client.open();
    const writer = writable.getWriter();
    await writer.write(barge.subarray(0, 9));
    await Promise.all([writer.abort(), readable.cancel()]);
  },
  "one-way streams": (client) => async () => {
    const uplink = await client.openAudio();
    await uplink.finish();
  },
  "replies that it stops reading": (client) => async () => {
    const { readable, writable } = await client.open();
    const writer = writable.getWriter();
    const stop = readable.cancel();
    await writer.write(barge).then(() => writer.close());
    await stop;
  },
  "subscriptions": (client) => () =>
    client.rpc(methods.StreamEvents, { clientId: crypto.randomUUID() }),
};

// Refusals that come at once, so that a test need not move the clock for each.
const AT_ONCE = { limitedReplyMs: 0.1 };

describe("G-08 stream floods", () => {
  for (const [name, nuisance] of Object.entries(nuisances)) {
    it(`G-08 cuts a session that floods with ${name}, and says so`, async () => {
      await using setup = new TestGateway({ limits: AT_ONCE });
      const client = await setup.connect(await setup.addTenant("acme"));
      await repeat(client, nuisance(client));
      await settle();
      // 400 at once, then 400 more that are answered with a no: the next one is the last.
      assert.equal(setup.gateway.stats().streams.limited, 401);
      assert.deepEqual(client.endings, [FLOOD]);
      await setup.clock.advance(250);
      await client.closed;
      assert.deepEqual(client.closeInfo, { closeCode: 429, reason: "too many requests" });
      assert.deepEqual(setup.gateway.stats().sessions.ended, { "too many requests": 1 });
      await Promise.all(setup.served);
      assert.equal(setup.clock.pending, 0);
    });
  }

  it("G-08 leaves a session in peace that stays below its rate for an hour", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"));
    for (let minute = 0; minute < 59; minute++) {
      for (let i = 0; i < 40; i++) {
        assert.equal((await client.exchange(methods.Barge, barge)).fault.errorCode, 7);
      }
      await setup.clock.advance(60_000);
    }
    assert.equal(client.isClosed, false);
  });

  it("G-08 resets streams beyond those that may be open at a time", async () => {
    await using setup = new TestGateway({ limits: { streams: 10 } });
    const client = await setup.connect(await setup.addTenant("acme"));
    const open = [];
    for (let i = 0; i < 10; i++) open.push(await client.open());
    const { isReset } = await client.exchange(methods.Barge, barge);
    assert.equal(isReset, true);
    assert.equal(setup.gateway.stats().streams.limited, 1);
    await open[0]!.writable.abort();
    await settle();
    assert.equal((await client.exchange(methods.Barge, barge)).fault.errorCode, 7);
  });
});

describe("G-09 RPC floods", () => {
  it("G-09 answers ERR_RATE_LIMITED above the session's rate, and again as it refills", async () => {
    await using setup = new TestGateway({ limits: { ...AT_ONCE, strikes: Infinity } });
    const client = await setup.connect(await setup.addTenant("acme"));
    const codes = async (count: number) => {
      const codes: Record<number, number> = {};
      for (let i = 0; i < count; i++) {
        const { errorCode } = (await client.exchange(methods.Barge, barge)).fault;
        codes[errorCode] = (codes[errorCode] ?? 0) + 1;
      }
      return codes;
    };
    assert.deepEqual(await codes(500), { 7: 400, 3: 100 });
    await setup.clock.advance(500);
    assert.deepEqual(await codes(100), { 7: 50, 3: 50 });
  });

  it("G-09 bounds a tenant's sessions together, and leaves other tenants alone", async () => {
    await using setup = new TestGateway({ limits: { ...AT_ONCE, rpcsPerSecondPerTenant: 100 } });
    const acme = await setup.addTenant("acme");
    const globex = await setup.connect(await setup.addTenant("globex"));
    const flooders = [];
    for (let i = 0; i < 4; i++) flooders.push(await setup.connect(acme));
    let limited = 0;
    for (let i = 0; i < 100; i++) {
      for (const flooder of flooders) {
        if ((await flooder.exchange(methods.Barge, barge)).fault.errorCode === 3) limited++;
      }
      assert.equal((await globex.exchange(methods.Barge, barge)).fault.errorCode, 7);
    }
    assert.equal(limited, 200);
  });

  it("G-09 lets an answer above the rate wait, and all others not", async () => {
    await using setup = new TestGateway({ limits: { rpcsPerSecond: 1 } });
    const client = await setup.connect(await setup.addTenant("acme"));
    const other = await setup.connect(await setup.addTenant("globex"));
    for (let i = 0; i < 4; i++) await client.exchange(methods.Barge, barge);
    let code: number | undefined;
    void client.exchange(methods.Barge, barge).then(({ fault }) => code = fault.errorCode);
    await setup.clock.advance(900);
    assert.equal(code, undefined);
    assert.equal((await other.exchange(methods.Barge, barge)).fault.errorCode, 7);
    await setup.clock.advance(200);
    assert.equal(code, 3);
  });

  it("G-09 bounds a tenant's calls per second, a trunk's calls and a tenant's calls, each with its own words", async () => {
    await using setup = new TestGateway({
      limits: { callsPerSecond: 2, callsPerTenant: 7, rpcsPerSecond: Infinity },
    });
    const client = await setup.connect(await setup.addTenant("acme", { channelLimit: 6 }));
    await setup.gateway.addTrunk({ tenantId: "acme", trunkId: "spare" });
    const dial = async (trunkId = "main") => {
      const { reply } = await client.rpc(methods.Originate, {
        trunkId,
        to: "+15550100",
        defaultApp: 1,
      });
      return [reply!.errorCode, reply!.errorMessage, reply!.callSid === ""];
    };
    for (let i = 0; i < 4; i++) assert.deepEqual(await dial(), [0, "", false]);
    const budget = "The tenant's budget of 2 calls per second is used up";
    assert.deepEqual(await dial(), [3, budget, true]);
    await setup.clock.advance(1_000);
    assert.deepEqual((await dial())[0], 0);
    assert.deepEqual((await dial())[0], 0);
    await setup.clock.advance(10_000);
    assert.deepEqual(await dial(), [3, "The trunk carries 6 calls, its channel_limit", true]);
    assert.deepEqual((await dial("spare"))[0], 0);
    assert.deepEqual(await dial("spare"), [3, "The tenant has 7 live calls, its limit", true]);
  });

  it("G-31 begins an honest session's request in the same turn, however many another tenant has opened", async () => {
    await using setup = new TestGateway({ limits: { streamsPerTurn: 1 } });
    const acme = await setup.connect(await setup.addTenant("acme"));
    const evil = await setup.addTenant("evil");
    const flooders: RawClient[] = [];
    for (let i = 0; i < 20; i++) flooders.push(await setup.connect(evil));
    let answered = 0;
    const floods = flooders.flatMap((flooder) =>
      Array.from(
        { length: 20 },
        () => flooder.exchange(methods.Barge, barge).then(() => void answered++),
      )
    );
    await turn();
    assert.equal((await acme.exchange(methods.Barge, barge)).fault.errorCode, 7);
    // A request takes some turns from its first byte to its last: so many of the others are answered meanwhile, and not all 400.
    assert.ok(answered < 60, `${answered} of the others first`);
    await Promise.all(floods);
    assert.equal(answered, 400);
  });

  it("G-09 answers every request of an honest session while 50 others flood, and limits or cuts each of them", async () => {
    await using setup = new TestGateway({ limits: AT_ONCE });
    const acme = await setup.addTenant("acme");
    const evil = await setup.addTenant("evil");
    const honest = await setup.connect(acme, { clientId: "honest" });
    const { reply } = await honest.rpc(methods.Originate, {
      trunkId: "main",
      to: "+15550100",
      clientId: "honest",
      defaultApp: 1,
    });
    await setup.clock.advance(200);
    const uplink = await honest.openAudio();
    const kinds = Object.values(nuisances);
    const flooders: RawClient[] = [];
    for (let i = 0; i < 50; i++) flooders.push(await setup.connect(evil));
    const floods = flooders.map((flooder, i) =>
      repeat(flooder, kinds[i % kinds.length]!(flooder), 1_200, 10)
    );
    let answered = 0;
    for (let i = 0; i < 300; i++) {
      const payload = new Uint8Array(160).fill(i);
      await uplink.send({ callSid: reply!.callSid, codec: "PCMU", payload, sequenceNumber: i });
      const { fault } = await honest.exchange(methods.Barge, barge);
      if (fault.errorCode === 7) answered++;
    }
    await Promise.all(floods);
    await settle();
    assert.equal(answered, 300);
    assert.deepEqual(
      honest.audio.map(({ payload }) => payload[0]),
      [...Array(300).keys()].map((i) => i & 255),
    );
    await setup.clock.advance(250);
    assert.equal(flooders.filter(({ isClosed }) => isClosed).length, 50);
    assert.ok(flooders.every(({ endings }) => endings[0]?.code === 429));
    assert.equal(honest.isClosed, false);
    const { limited } = setup.gateway.stats().streams;
    assert.ok(limited >= 50 * 400, `${limited} limited`);
  });
});

describe("G-20 readers that do not read", () => {
  async function withSilentReader(options: { readonly queuedEvents?: number } = {}) {
    const setup = new TestGateway({
      limits: {
        callsPerSecond: Infinity,
        rpcsPerSecond: Infinity,
        rpcsPerSecondPerTenant: Infinity,
        ...options,
      },
    });
    const acme = await setup.addTenant("acme", { channelLimit: 10_000 });
    const silent = await setup.connect(acme, {
      clientId: "silent",
      reads: false,
      highWaterMark: 1_024,
    });
    return { setup, acme, silent };
  }

  it("G-20 cuts a subscriber whose events pile up, and says why in its own words", async () => {
    const { setup, acme, silent } = await withSilentReader({ queuedEvents: 20 });
    await using _ = setup;
    const busy = await setup.connect(acme);
    for (let i = 0; i < 30; i++) {
      await busy.rpc(methods.Originate, {
        trunkId: "main",
        to: "+15550101",
        clientId: "silent",
        defaultApp: 1,
      });
      if (Object.keys(setup.gateway.stats().sessions.ended).length > 0) break;
    }
    assert.deepEqual(setup.gateway.stats().sessions.ended, { "slow subscriber": 1 });
    await setup.clock.advance(250);
    await silent.closed;
    assert.deepEqual(silent.closeInfo, { closeCode: 429, reason: "slow subscriber" });
    await setup.clock.advance(100);
    assert.equal(busy.isClosed, false);
  });

  it("G-20 drops the oldest audio of a reader that is behind, counts it, and goes on", async () => {
    const limits = {
      ...{ queuedAudioFrames: 10, audioFramesPerSecond: Infinity },
      ...{ rpcsPerSecond: Infinity, callsPerSecond: Infinity },
    };
    await using setup = new TestGateway({ limits });
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme, { clientId: "c", highWaterMark: 400 });
    const { reply } = await client.rpc(methods.Originate, {
      trunkId: "main",
      to: "+15550100",
      clientId: "c",
      defaultApp: 1,
    });
    await setup.clock.advance(200);
    const frames = Array.from({ length: 200 }, (_, sequenceNumber) => ({
      callSid: reply!.callSid,
      codec: "PCMU",
      payload: new Uint8Array(160).fill(sequenceNumber),
      sequenceNumber,
    }));
    const uplink = await client.openAudio();
    // In one chunk: the echo is 200 frames behind before the reader gets a turn.
    const bytes = frames.map((frame) => encodeFrame(methods.AudioFrame, frame));
    await uplink.write(new Uint8Array(await new Blob(bytes).arrayBuffer()));
    await settle();
    const { received, sent, dropped } = setup.gateway.stats().audio;
    assert.deepEqual({ received, sent: sent + dropped }, { received: 200, sent: 200 });
    assert.ok(dropped >= 150, `${dropped} dropped`);
    // The newest are there, in order, with a gap in their numbers for what was dropped.
    const numbers = client.audio.map(({ sequenceNumber }) => sequenceNumber);
    assert.equal(numbers.length, sent);
    assert.deepEqual(numbers.slice(-10), [...Array(10).keys()].map((i) => 190 + i));
    for (const { sequenceNumber, payload } of client.audio) {
      assert.equal(payload[0], sequenceNumber & 255);
    }
  });

  it("G-20 holds few lists that a tenant asks for and does not read, and answers in short all the same", async () => {
    const limits = { unreadReplyBytes: 100_000, rpcsPerSecond: 1e6, callsPerSecond: 1e6 };
    await using setup = new TestGateway({ limits });
    const acme = await setup.addTenant("acme", { channelLimit: 1_000 });
    const beta = await setup.addTenant("beta");
    const [greedy, other, outsider] = [
      await setup.connect(acme),
      await setup.connect(acme),
      await setup.connect(beta),
    ];
    const dialled = { trunkId: "main", to: "+15550100", defaultApp: DialplanAction.PARK };
    for (let i = 0; i < 600; i++) {
      await greedy.rpc(methods.Originate, { ...dialled, callSid: `${i}`.padEnd(128, "x") });
    }
    await setup.clock.advance(300);
    const ask = { bucketId: "parked" };
    const stream = await greedy.open();
    const writer = stream.writable.getWriter();
    await writer.write(encodeRequest(methods.GetBucketCalls, ask));
    await settle();
    assert.equal((await other.rpc(methods.GetBucketCalls, ask)).fault.errorCode, 3);
    assert.equal(
      (await other.rpc(methods.Barge, { callSid: "0".padEnd(128, "x") })).fault.errorCode,
      0,
    );
    assert.equal((await outsider.rpc(methods.GetBucketCalls, ask)).fault.errorCode, 0);
    await writer.close();
    let read = 0;
    for await (const chunk of stream.readable) read += chunk.length;
    assert.ok(read > 600 * 128);
    const { reply } = await other.rpc(methods.GetBucketCalls, ask);
    assert.equal(parseCallSids(reply!.callSids).length, 600);
  });

  it("G-20 holds a bounded amount for 100 sessions that never read", async () => {
    const { setup, acme } = await withSilentReader();
    await using _ = setup;
    const readers: RawClient[] = [];
    for (let i = 0; i < 100; i++) {
      readers.push(await setup.connect(acme, { clientId: "", reads: false, highWaterMark: 1_024 }));
    }
    const busy = await setup.connect(acme, { reads: false });
    for (let i = 0; i < 700; i++) {
      await busy.rpc(methods.Originate, {
        trunkId: "main",
        to: "+15550104",
        defaultApp: 1,
        clientId: "x",
      });
      await setup.clock.advance(50);
    }
    await setup.clock.advance(1_000);
    assert.ok(readers.every(({ isClosed }) => isClosed));
    assert.equal(setup.gateway.stats().sessions.ended["slow subscriber"], 101);
    assert.equal(setup.gateway.stats().sessions.open, 1);
  });
});
