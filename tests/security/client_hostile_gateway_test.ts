import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Call,
  type ClientOptions,
  type LogRecord,
  TeleQuickClient,
  TeleQuickError,
} from "../../mod.ts";
import {
  type AudioFrame,
  type CallEvent,
  encodeFrame,
  encodeReply,
  methods,
} from "../../src/wire/mod.ts";
import { hasCode } from "../support/client_kit.ts";
import { FakeClock, settle } from "../../src/testing/mod.ts";
import { usedHeap } from "../support/gc.ts";
import {
  type Script,
  scriptedGateway,
  type ScriptedGatewayOptions,
  type ScriptedPeer,
} from "../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "../support/unsigned_token.ts";

interface Story extends AsyncDisposable {
  readonly client: TeleQuickClient;
  readonly clock: FakeClock;
  readonly peers: ScriptedPeer[];
  readonly records: LogRecord[];
  readonly call: Call;
}

const dialled: Script = (request) => ({ callSid: (request as { callSid: string }).callSid });

/** A client with one call up, at a gateway that means no good. Every unhandled rejection fails the test (C-14). */
async function story(
  options: ScriptedGatewayOptions & { readonly client?: ClientOptions } = {},
): Promise<Story> {
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", note);
  const clock = new FakeClock();
  const gateway = scriptedGateway({
    ...options,
    scripts: { Originate: dialled, ...options.scripts },
  });
  const records: LogRecord[] = [];
  const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
    webTransport: gateway.webTransport,
    clock,
    log: (record) => records.push(record),
    ...options.client,
  });
  const call = await client.dial({ to: "+15550100", trunkId: "main" });
  return {
    client,
    clock,
    peers: gateway.peers,
    records,
    call,
    async [Symbol.asyncDispose]() {
      const closing = client.close();
      await clock.advance(10_000);
      await closing;
      await settle();
      globalThis.removeEventListener("unhandledrejection", note);
      assert.deepEqual(unhandled, [], "C-14 no rejection is left to the process");
      assert.equal(clock.pending, 0, "no timer is left");
    },
  };
}

/** What still works at the end: the session, or the next one. */
async function stillWorks({ client, clock }: Story): Promise<void> {
  await clock.advance(20_000);
  assert.equal(client.stats().session.status, "open");
  await client.barge("call-1");
}

describe("C-12 a hostile gateway", () => {
  it("C-12 ten thousand one-way streams: few are read at a time, the others stopped; nothing piles up", async () => {
    await using own = await story({ pair: { maxStreams: 20_000 } });
    const [peer] = own.peers;
    let stopped = 0;
    for (let n = 0; n < 10_000; n++) {
      const writer = (await peer!.session.openUnidirectional()).getWriter();
      writer.closed.catch(() => stopped++);
      if (n % 500 === 0) await settle();
    }
    await settle();
    assert.ok(stopped >= 10_000 - 256, `${stopped} were stopped`);
    await stillWorks(own);
  });

  it("C-12 streams that the gateway opens both ways are not taken, and hold no more than the transport's credit", async () => {
    await using own = await story();
    const opened: Promise<unknown>[] = [];
    for (let n = 0; n < 200; n++) {
      opened.push(own.peers[0]!.session.openBidirectional().catch((error: unknown) => error));
    }
    await settle();
    await own.clock.advance(6_000);
    const refused = (await Promise.all(opened)).filter((each) => each instanceof TeleQuickError);
    assert.equal(refused.length, 100, "what is beyond the credit is never opened");
    await stillWorks(own);
  });

  it("C-12 an event that does not end: no more than a frame is held, then the stream is given up", async () => {
    await using own = await story();
    for (const length of [0x7fffffff, 0xffffffff, 0, 3]) {
      const peer = own.peers.at(-1)!;
      const writer = (await peer.session.openUnidirectional()).getWriter();
      const head = new Uint8Array(8);
      new DataView(head.buffer).setUint32(0, length, true);
      new DataView(head.buffer).setUint32(4, methods.CallEvent.id, true);
      await writer.write(head).catch(() => {});
      await settle();
      await assert.rejects(writer.closed, `a length of ${length} is refused at once`);
      await own.clock.advance(30_000);
    }
    // One within the limit that goes on byte by byte is a frame that is not there yet.
    const writer = (await own.peers.at(-1)!.session.openUnidirectional()).getWriter();
    const head = new Uint8Array(8);
    new DataView(head.buffer).setUint32(0, 1_000_000, true);
    new DataView(head.buffer).setUint32(4, methods.CallEvent.id, true);
    void writer.write(head).catch(() => {});
    for (let n = 0; n < 100; n++) void writer.write(new Uint8Array(1)).catch(() => {});
    await stillWorks(own);
    assert.equal(own.client.stats().events.received, 0);
  });

  it("C-12 a flood of events for unknown calls stays within its bound", async () => {
    await using own = await story();
    const [peer] = own.peers;
    const writer = (await peer!.session.openUnidirectional()).getWriter();
    const flood = async (from: number): Promise<void> => {
      for (let n = from; n < from + 6_000; n++) {
        const event = { callSid: `call-${n}`, eventType: 1, status: "x".repeat(200) };
        await writer.write(encodeFrame(methods.CallEvent, event));
      }
      await settle();
    };
    await flood(0);
    const before = await usedHeap();
    await flood(6_000);
    await flood(12_000);
    const grown = await usedHeap() - before;
    assert.ok(grown < 8_000_000, `${grown} bytes more`);
    assert.equal(own.client.stats().events.received, 18_000);
    await stillWorks(own);
  });

  it("C-12 audio of calls that are not ours, that ended, or that jump: dropped and counted, not heard", async () => {
    await using own = await story();
    const link = own.call.audio({ receiveCapacity: 10, jitterBufferMs: 60 });
    const frames: Partial<AudioFrame>[] = [];
    for (let n = 0; n < 1_000; n++) {
      frames.push({
        callSid: "foreign",
        sequenceNumber: n,
        codec: "PCMU",
        payload: new Uint8Array(160),
      });
    }
    for (const sequenceNumber of [0, 2 ** 53 - 1, 5_000, 2 ** 31, 1, 1, 0]) {
      frames.push({
        callSid: own.call.sid,
        sequenceNumber,
        codec: "\u0000",
        payload: new Uint8Array(60_000),
      });
    }
    await own.peers[0]!.push(methods.AudioFrame, ...frames);
    await own.clock.advance(2_000);
    // The newest second of a call is kept, in case its audio is opened.
    assert.equal(own.client.stats().audio.unrouted, 950);
    const { received, duplicated, dropped, unread } = link.stats();
    assert.ok(received === 7 && duplicated >= 1 && dropped >= 2 && unread <= 7);
    await stillWorks(own);
    void link.close();
  });

  it("C-12 a huge error message becomes a short one, on one line", async () => {
    const words = "\u001b[2J\r\nlevel=info ".repeat(40_000);
    await using own = await story({
      scripts: { Terminate: () => ({ errorCode: 7, errorMessage: words }) },
    });
    const refused = assert.rejects(own.call.hangUp(), (error: Error) => {
      hasCode("ERR_RPC_REJECTED", 7)(error);
      assert.ok(error.message.length < 1_000);
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(error.message, /[\u0000-\u001f]/);
      return true;
    });
    // The call's end might still be on its way.
    await own.clock.advance(1_000);
    await refused;
    const reason = `eyJ${"eyJ".repeat(60_000)}`;
    await own.peers[0]!.push(methods.SessionEnding, { code: 0, reason, reconnect: true });
    await own.clock.advance(1_000);
    assert.ok(own.records.every((record) => JSON.stringify(record).length < 2_000));
    await stillWorks(own);
  });

  it("C-12 a reply that comes twice, does not end, is too large, is another's or is cut: typed, once, and only that RPC", async () => {
    const reply = encodeReply(methods.GetActiveBuckets, { buckets: [] });
    const twice = new Uint8Array([...reply, ...reply]);
    const other = encodeReply(methods.GetIncomingCalls, { calls: [] });
    const answers: [Uint8Array | Promise<never>, string | undefined][] = [
      [twice, undefined],
      [reply.subarray(0, reply.length - 1), "ERR_WIRE_INVALID"],
      [new Uint8Array(0), "ERR_WIRE_INVALID"],
      [new Uint8Array(64).fill(255), "ERR_WIRE_INVALID"],
      [encodeFrame(methods.CallEvent, { callSid: "x" }), "ERR_WIRE_INVALID"],
      [new Promise<never>(() => {}), "ERR_TIMEOUT"],
    ];
    let answer: Uint8Array | Promise<never> = reply;
    await using own = await story({
      scripts: { GetActiveBuckets: () => answer as Uint8Array, GetIncomingCalls: () => other },
    });
    for (const [next, code] of answers) {
      answer = next;
      const asked = own.client.getActiveBuckets().then(() => undefined, (error) => error.code);
      await own.clock.advance(11_000);
      assert.equal(await asked, code);
      assert.deepEqual(await own.client.getIncomingCalls("main"), []);
    }
    assert.equal(own.client.stats().session.opened, 1);
  });

  it("C-12 a reply without an end of 64 MiB is given up at the limit", async () => {
    let written = 0;
    await using own = await story({
      scripts: {
        GetActiveBuckets: () => endless((bytes) => written += bytes),
      },
    });
    const asked = assert.rejects(own.client.getActiveBuckets(), hasCode("ERR_WIRE_INVALID"));
    await own.clock.advance(11_000);
    await asked;
    assert.ok(written <= 4 * 1_048_576, `${written} bytes were taken`);
    await stillWorks(own);
  });

  it("C-12 endings, again and again, and for sessions that are over: followed with a back-off", async () => {
    await using own = await story();
    for (let n = 0; n < 100; n++) {
      const endings = Array.from(
        { length: 20 },
        () => ({ code: 401, reason: "now", reconnect: n % 2 === 0 }),
      );
      for (const peer of own.peers) {
        if (!peer.session.isClosed) {
          await peer.push(methods.SessionEnding, ...endings).catch(() => {});
        }
      }
      await own.clock.advance(100);
    }
    assert.ok(own.peers.length < 40, `${own.peers.length} sessions in ten seconds`);
    await stillWorks(own);
  });

  it("C-12 events that lie about a call change that call's state and nothing else", async () => {
    await using own = await story();
    const lies: Partial<CallEvent>[] = [
      { callSid: own.call.sid, eventType: 99, status: "\u0000" },
      { callSid: own.call.sid, eventType: -1, q850Cause: -5, durationSeconds: -1 },
      { callSid: "__proto__", eventType: 2, status: "ANSWERED" },
      { callSid: "constructor", eventType: 3, status: "COMPLETED" },
      { callSid: "", eventType: 3, status: "COMPLETED" },
    ];
    await own.peers[0]!.push(methods.CallEvent, ...lies);
    await settle();
    assert.equal(own.call.state, "dialing");
    assert.equal(({} as { seen?: unknown }).seen, undefined);
    await own.peers[0]!.push(methods.CallEvent, {
      callSid: own.call.sid,
      eventType: 3,
      timestampMs: 9,
    });
    await settle();
    assert.equal(own.call.state, "ended");
  });
});

describe("C-14 no unhandled rejection", () => {
  it("C-14 a client that is refused, lost, timed out, aborted and closed under its users leaves none", async () => {
    await using own = await story({
      scripts: { Barge: () => new Promise(() => {}), Terminate: () => new Promise(() => {}) },
      onAttempt: (attempt) => {
        if (attempt === 2) throw new Error("unreachable");
      },
    });
    const { client, clock, call, peers } = own;
    const link = call.audio();
    // None of these is used again.
    const users = [call.answered(), call.ended, client.barge("a"), call.hangUp(), client.renew()];
    for (const user of users) user.catch(() => {});
    call.events().next().catch(() => {});
    void client.events().next();
    void link.readable.getReader().read().catch(() => {});
    void link.writable.getWriter().write(new Uint8Array(16_000)).catch(() => {});
    const controller = new AbortController();
    client.barge("b", { signal: controller.signal }).catch(() => {});
    await clock.advance(100);
    controller.abort();
    peers[0]!.pair.sever();
    await clock.advance(5_000);
    peers.at(-1)!.pair.sever();
    await clock.advance(12_000);
  });
});

/** An envelope that says it has 64 MiB, and goes on for as long as it is read. */
async function* endless(onChunk: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  yield new Uint8Array([1, 1, 0, 0, 0, 4]);
  for (let n = 0; n < 4_000; n++) {
    onChunk(16_384);
    yield await Promise.resolve(new Uint8Array(16_384));
  }
}
