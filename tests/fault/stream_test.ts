import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { encodeReply, methods } from "../../src/wire/mod.ts";
import { hasCode } from "../support/client_kit.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { QuickClock } from "../support/quick_clock.ts";
import { scriptedGateway, type ScriptedGatewayOptions } from "../../src/testing/mod.ts";
import { TestGateway } from "../support/tenant_kit.ts";
import { Network } from "../../src/testing/network.ts";
import { createRandom } from "../../src/base/random.ts";
import { UNSIGNED_TOKEN } from "../support/unsigned_token.ts";

type Stream = Parameters<NonNullable<ScriptedGatewayOptions["onStream"]>>[0];

const REPLY = encodeReply(methods.GetActiveBuckets, { buckets: [] });

// Longer than what may be on its way unread: its write waits for the gateway.
const LONG = "b".repeat(2_000);

/** A client that is signed in; what becomes of its next streams is up to the test. */
async function story(options: ScriptedGatewayOptions = {}): Promise<{
  readonly client: TeleQuickClient;
  readonly clock: FakeClock;
  take(next: ((stream: Stream) => void) | undefined): void;
}> {
  let next: ((stream: Stream) => void) | undefined;
  const clock = new FakeClock();
  const gateway = scriptedGateway({
    ...options,
    onStream: (stream) => {
      next?.(stream);
      return next !== undefined;
    },
  });
  const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
    webTransport: gateway.webTransport,
    clock,
  });
  await client.connect();
  return { client, clock, take: (taker) => next = taker };
}

describe("F-13 streams that are reset, ended or answered too early", () => {
  const write = async ({ writable }: Stream, bytes: Uint8Array, then: "close" | "abort") => {
    const writer = writable.getWriter();
    await writer.write(bytes);
    await writer[then]();
  };
  const faults: [string, (stream: Stream) => unknown, string | undefined][] = [
    ["FIN without a reply", ({ writable }) => writable.close(), "ERR_WIRE_INVALID"],
    [
      "FIN in the middle of a reply",
      (s) => write(s, REPLY.subarray(0, 3), "close"),
      "ERR_WIRE_INVALID",
    ],
    ["a reset", ({ writable }) => writable.abort(new Error("reset")), "ERR_SESSION_CLOSED"],
    [
      "a reset in the middle of a reply",
      (s) => write(s, REPLY.subarray(0, 3), "abort"),
      "ERR_SESSION_CLOSED",
    ],
    [
      "STOP_SENDING and no reply",
      (s) => s.readable.cancel().then(() => s.writable.close()),
      "ERR_WIRE_INVALID",
    ],
    [
      "STOP_SENDING and a reply",
      (s) => s.readable.cancel().then(() => write(s, REPLY, "close")),
      undefined,
    ],
    ["a reply before the request was read", (s) => write(s, REPLY, "close"), undefined],
    [
      "a reply and another after it",
      (s) => write(s, new Uint8Array([...REPLY, ...REPLY]), "close"),
      undefined,
    ],
    ["silence", () => {}, "ERR_TIMEOUT"],
  ];
  for (const [name, act, code] of faults) {
    it(`F-13 ${name}: ${code ?? "answered"}, and the others are not disturbed`, async () => {
      const { client, clock, take } = await story();
      take((stream) => void Promise.resolve(act(stream)).catch(() => {}));
      const hit = client.getActiveBuckets().then(() => undefined, (error) => error.code);
      await clock.advance(0);
      take(undefined);
      const others = Promise.all(Array.from({ length: 20 }, () => client.barge("call-2")));
      await clock.advance(11_000);
      assert.equal(await hit, code);
      await others;
      assert.equal(client.stats().session.opened, 1);
      await client.close();
      assert.equal(clock.pending, 0);
    });
  }

  it("F-13 a gateway that answers and reads nothing does not use up the streams", async () => {
    const { client, clock, take } = await story({ pair: { maxStreams: 4, highWaterMark: 16 } });
    // The reply is whole; the request is never read, and the stream never finished.
    const reply = encodeReply(methods.GetBucketCalls, { callSids: "" });
    take(({ writable }) => void writable.getWriter().write(reply).catch(() => {}));
    for (let n = 0; n < 20; n++) {
      await client.getBucketCalls(LONG);
      await clock.advance(1_000);
    }
    await client.close();
  });

  it("F-13 an RPC is aborted at every turn of its way: its reason, nothing else, and the stream is given back", async () => {
    const { client, clock, take } = await story({ pair: { maxStreams: 3, highWaterMark: 16 } });
    for (let turns = 0; turns < 25; turns++) {
      const controller = new AbortController();
      const reason = new Error(`at turn ${turns}`);
      if (turns % 2 === 0) take(() => {});
      else take(undefined);
      const rpc = client.getBucketCalls(LONG, { signal: controller.signal })
        .then(() => "answered", (error) => error);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      controller.abort(reason);
      await clock.advance(2_000);
      const outcome = await rpc;
      assert.ok(outcome === reason || turns % 2 === 1 && outcome === "answered");
    }
    take(undefined);
    await client.barge("call-1");
    await client.close();
  });
});

describe("F-07 little bandwidth", () => {
  for (const kbits of [64, 128]) {
    it(`F-07 ${kbits} kbit/s: the oldest audio is dropped and counted, RPCs do not starve, what is heard is recent`, async () => {
      const clock = new QuickClock();
      await using setup = new TestGateway<QuickClock>({ clock });
      const { account } = await setup.addTenant("acme");
      const network = new Network({
        clock,
        random: createRandom(1),
        accept: (incoming) => void setup.gateway.serve(incoming),
      });
      const client = new TeleQuickClient("https://gateway.test", account, false, {
        webTransport: network.webTransport,
        clock,
      });
      await client.connect();
      const call = await client.dial({ to: "+15550100", trunkId: "main" });
      await clock.advance(250);
      await call.answered();
      network.conditions = { bytesPerSecond: kbits * 125 };
      const link = call.audio({ silence: "send", receiveCapacity: 10_000 });
      let heard = 0;
      void (async () => {
        for await (const _ of link.readable) heard++;
      })();
      const slowest = { ms: 0 };
      for (let second = 0; second < 20; second++) {
        const askedAt = clock.monotonic();
        const asked = client.getActiveBuckets().then(() => {
          slowest.ms = Math.max(slowest.ms, clock.monotonic() - askedAt);
        });
        await clock.advance(1_000);
        if (second > 0) await clock.advance(1_000);
        await asked;
      }
      const { sent, sendDropped, slotsMissed } = link.stats();
      assert.ok(slowest.ms < 2_000, `an RPC took ${slowest.ms} ms`);
      assert.equal(slotsMissed, 0);
      // A frame of 20 ms takes about 220 bytes: 64 kbit/s carry 36 of the 50 in a second, 128 carry all.
      if (kbits === 64) assert.ok(sendDropped > 200, `${sendDropped} dropped`);
      else assert.equal(sendDropped, 0);
      assert.ok(heard > 0.9 * sent - 50, `${heard} of ${sent} heard`);
      const closing = client.close();
      await clock.advance(10_000);
      await closing;
    });
  }
});

describe("F-15 the client's event loop stalls", () => {
  it("F-15 after 200 ms and 2 s: at most three frames at once, the other slots counted, then on at 50 a second", async () => {
    const clock = new FakeClock();
    await using setup = new TestGateway({ clock });
    const { account } = await setup.addTenant("acme");
    const client = new TeleQuickClient("https://gateway.test", account, false, {
      webTransport: setup.gateway.webTransport,
      clock,
    });
    await client.connect();
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    await clock.advance(250);
    await call.answered();
    const link = call.audio({ silence: "send" });
    await clock.advance(100);
    for (const stalledMs of [200, 2_000]) {
      const before = link.stats();
      clock.suspend(stalledMs);
      await clock.advance(0);
      const after = link.stats();
      assert.equal(after.sent - before.sent, 3);
      assert.equal(after.slotsMissed - before.slotsMissed, stalledMs / 20 - 3);
      await clock.advance(1_000);
      assert.equal(link.stats().sent - after.sent, 50);
    }
    assert.equal(client.stats().session.opened, 1);
    await assert.doesNotReject(client.barge(call.sid));
    const closing = client.close();
    await clock.advance(10_000);
    await closing;
    await assert.rejects(client.connect(), hasCode("ERR_SESSION_CLOSED"));
  });
});
