import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Call, type ClientOptions, TeleQuickClient } from "../../../../mod.ts";
import { audioPort } from "../../../../src/client/mod.ts";
import { AudioFrame, type CallEvent, FrameReader, methods } from "../../../../src/wire/mod.ts";
import type { SessionPairOptions, WebTransportLike } from "../../../../src/transport/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { scriptedGateway, type ScriptedPeer } from "../../../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

interface Story {
  readonly client: TeleQuickClient;
  readonly clock: FakeClock;
  readonly peers: ScriptedPeer[];
  readonly call: Call;
  close(): Promise<void>;
}

/** A client with one call up, against a gateway that follows the test. */
async function story(
  options: {
    readonly client?: ClientOptions;
    readonly pair?: SessionPairOptions;
    readonly onUni?: (stream: ReadableStream<Uint8Array>, peer: ScriptedPeer) => void;
    /** Called with every session that the client dials, before it has it. */
    readonly onDial?: (session: WebTransportLike, index: number) => void;
  } = {},
): Promise<Story> {
  const clock = new FakeClock();
  const gateway = scriptedGateway({
    ...(options.pair !== undefined && { pair: options.pair }),
    ...(options.onUni !== undefined && { onUni: options.onUni }),
    ...(options.onDial !== undefined && { onDial: options.onDial }),
    scripts: { Originate: (request) => ({ callSid: (request as { callSid: string }).callSid }) },
  });
  const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
    webTransport: gateway.webTransport,
    clock,
    ...options.client,
  });
  const call = await client.dial({ to: "+15550100", trunkId: "main" });
  await gateway.peers[0]!.push(methods.CallEvent, {
    ...{ callSid: call.callSid, eventType: 2, status: "ANSWERED" },
    ...{ answerTimestampMs: 1, timestampMs: 1 },
  });
  await call.answered();
  return {
    client,
    clock,
    peers: gateway.peers,
    call,
    async close() {
      const closing = client.close();
      await clock.advance(10_000);
      await closing;
    },
  };
}

async function push(peer: ScriptedPeer, frame: Partial<AudioFrame>): Promise<void> {
  await peer.push(methods.AudioFrame, frame);
}

/** Collects the sequence numbers of a stream until it ends. */
async function numbersOf(stream: ReadableStream<Uint8Array>, into: number[]): Promise<void> {
  const frames = new FrameReader();
  try {
    for await (const chunk of stream) {
      for (const { envelope } of frames.push(chunk)) {
        into.push(AudioFrame.decode(envelope).sequenceNumber);
      }
    }
  } catch {
    // The session is over.
  }
}

/** A session whose streams take each write when what `wait` returns has resolved; the first byte of each frame's sound goes to `heard`. */
function writesAfter(
  wait: () => Promise<void>,
  heard: number[],
): (session: WebTransportLike) => void {
  const frames = new FrameReader();
  return (session) => {
    session.createUnidirectionalStream = () =>
      Promise.resolve(
        new WritableStream<Uint8Array>({
          async write(bytes) {
            await wait();
            for (const { envelope } of frames.push(bytes)) {
              heard.push(AudioFrame.decode(envelope).payload[0]!);
            }
          },
        }),
      );
  };
}

describe("AudioHub", () => {
  it("plays a burst at the pace of speech where there is a jitter buffer, and is at its delay again within 3 s", async () => {
    const { call, clock, peers, close } = await story();
    const link = call.audio({ jitterBufferMs: 60 });
    const taken: { readonly atMs: number; readonly number: number }[] = [];
    void (async () => {
      for await (const { sequenceNumber: number } of link.readable) {
        taken.push({ atMs: clock.monotonic(), number });
      }
    })();
    const startedAt = clock.monotonic();
    let number = 0;
    const frame = () => ({
      ...{ callSid: call.callSid, codec: "PCMU", sequenceNumber: number++ },
      payload: new Uint8Array(160).fill(0xff),
    });
    for (let slot = 0; slot < 300; slot++) {
      // Nothing comes for 219 ms, then everything at once.
      const isStalled = slot >= 50 && slot < 61;
      if (slot === 61) { for (let late = 50; late < 61; late++) await push(peers[0]!, frame()); }
      if (!isStalled) await push(peers[0]!, frame());
      await clock.advance(20);
    }
    const gaps = taken.slice(1).map(({ atMs }, i) => atMs - taken[i]!.atMs);
    assert.ok(gaps.every((gap) => gap >= 19), `two frames within ${Math.min(...gaps)} ms`);
    const delay = ({ atMs, number }: { readonly atMs: number; readonly number: number }) =>
      atMs - startedAt - number * 20;
    const settled = taken.filter(({ atMs }) => atMs - startedAt > 1_220 + 3_000);
    assert.ok(settled.length > 50);
    for (const each of settled) assert.ok(delay(each) <= 100, `${delay(each)} ms late`);
    assert.ok(link.stats().concealed <= 3);
    await close();
  });

  it("lets speech go on when the answer was perhaps missed with the session", async () => {
    const heard: number[] = [];
    const { client, clock, peers, close } = await story({
      onUni: (stream) => void numbersOf(stream, heard),
    });
    const call = await client.dial({ to: "+15550101", trunkId: "main" });
    void call.audio().writable.getWriter().write(new Uint8Array(160 * 5));
    await clock.advance(2_000);
    assert.deepEqual(heard, [], "it waits for the answer");
    peers[0]!.pair.sever();
    await clock.advance(5_000);
    assert.equal(peers.length, 2);
    assert.deepEqual(heard, [0, 1, 2, 3, 4]);
    await close();
  });

  it("counts no frame as lost or concealed that is given late, as without a jitter buffer each is", async () => {
    const { call, peers, close } = await story();
    const link = call.audio();
    const payload = new Uint8Array(160).fill(0xff);
    for (const sequenceNumber of [0, 2, 1, 4]) {
      await peers[0]!.push(methods.AudioFrame, {
        callSid: call.sid,
        codec: "PCMU",
        payload,
        sequenceNumber,
      });
    }
    await settle();
    const { received, late, lost, concealed } = link.stats();
    assert.deepEqual({ received, late, lost, concealed }, {
      received: 4,
      late: 1,
      lost: 1,
      concealed: 0,
    });
    await close();
  });

  it("lets a client end by a loss while calls talk: links end, and nothing spins", async () => {
    const { client, clock, peers, call } = await story({ client: { reconnect: false } });
    const link = call.audio({ silence: "send" });
    await clock.advance(100);
    assert.ok(link.stats().sent > 0);
    peers[0]!.pair.sever();
    await clock.advance(5_000);
    assert.equal(client.stats().session.status, "closed");
    await assert.rejects(link.writable.getWriter().write(new Uint8Array(160)));
    assert.equal(clock.pending, 0);
  });

  it("lets nothing of before clear() leave after a transport that stood still, but for the write it had taken", async () => {
    const heard: number[] = [];
    let release = (): void => {};
    const stalled = writesAfter(() => new Promise((resolve) => release = resolve), heard);
    const { clock, call, close } = await story({ onDial: stalled });
    const audio = call.audio();
    const playback = audio.play(new Uint8Array(160 * 50).fill(1));
    // Eleven frames have had their slots: one is with the transport, ten wait for it.
    await clock.advance(200);
    void audio.clear();
    await settle();
    const { playedMs, interrupted } = await playback.finished;
    assert.deepEqual({ playedMs, interrupted }, { playedMs: 20, interrupted: true });
    const next = audio.play(new Uint8Array(160 * 3).fill(2));
    for (let turn = 0; turn < 20; turn++) {
      release();
      await clock.advance(20);
    }
    assert.deepEqual(heard, [1, 2, 2, 2]);
    assert.deepEqual(await next.finished, { playedMs: 60, durationMs: 60, interrupted: false });
    assert.equal(audio.stats().sendDropped, 0);
    const closing = close();
    release();
    await closing;
  });

  it("keeps 60 ms of a live source while its transport stands still once, the newest", async () => {
    const heard: number[] = [];
    let open: Promise<void> = Promise.resolve();
    let release = (): void => {};
    const stalled = writesAfter(() => open, heard);
    const { clock, call, close } = await story({ onDial: stalled });
    const writer = call.audio({ source: "live" }).writable.getWriter();
    const speak = async (from: number, to: number): Promise<void> => {
      for (let frame = from; frame < to; frame++) {
        void writer.write(new Uint8Array(160).fill(frame));
        await clock.advance(20);
      }
    };
    await speak(0, 5);
    open = new Promise((resolve) => release = resolve);
    await speak(5, 20);
    release();
    await settle();
    // The first was with the transport.
    assert.deepEqual(heard, [0, 1, 2, 3, 4, 5, 17, 18, 19]);
    await close();
  });

  it("keeps a link when a stream of the session before fails after the move", async () => {
    const heard: number[] = [];
    let fail: (error: unknown) => void = () => {};
    // A stream that takes nothing, and fails only when its session does.
    const stalled = (session: WebTransportLike): void => {
      session.createUnidirectionalStream = () =>
        Promise.resolve(
          new WritableStream({ write: () => new Promise((_, reject) => fail = reject) }),
        );
    };
    const { client, clock, peers, call, close } = await story({
      onUni: (stream) => void numbersOf(stream, heard),
      onDial: (session, index) => index === 0 && stalled(session),
    });
    const link = call.audio({ silence: "send" });
    await clock.advance(400);
    await client.renew();
    await clock.advance(100);
    fail(new Error("connection lost"));
    peers[0]!.pair.sever();
    await clock.advance(3_000);
    assert.equal(client.stats().audio.links, 1, "the link lives");
    assert.ok(heard.length > 100, `${heard.length} frames on the second session`);
    assert.ok(heard.every((number, index) => index === 0 || number > heard[index - 1]!));
    await assert.doesNotReject(Promise.race([link.writable.getWriter().closed, settle()]));
    await close();
  });

  for (const audioStreams of ["call", "shared"] as const) {
    it(`does not send what an ended link left behind after the frames of the next link (${audioStreams})`, async () => {
      const heard: number[] = [];
      let held: ReadableStream<Uint8Array> | undefined;
      const { clock, peers, call, close } = await story({
        client: { audioStreams },
        onUni: (stream) => {
          if (held !== undefined) return void numbersOf(stream, heard);
          held = stream;
        },
        pair: { highWaterMark: 512 },
      });
      const first = call.audio();
      void first.writable.getWriter().write(new Uint8Array(160 * 10)).catch(() => {});
      await clock.advance(300);
      void first.close();
      await clock.advance(0);
      // The gateway gives up the stream, frames still wait for it; the session goes a moment later.
      void held!.cancel();
      await clock.advance(10);
      const second = call.audio({ silence: "send" });
      assert.notEqual(second, first);
      await clock.advance(300);
      peers[0]!.pair.sever();
      await clock.advance(5_000);
      assert.ok(second.stats().sent > 100 && heard.length > 100);
      for (const [at, number] of heard.entries()) {
        assert.ok(at === 0 || number > heard[at - 1]!, `${number} left after ${heard[at - 1]}`);
      }
      await close();
    });
  }

  it("does not send what ended links left behind in a loss after the frames of the next link, on a shared stream", async () => {
    const heard: number[] = [];
    const { clock, peers, call, close } = await story({
      client: { audioStreams: "shared" },
      onUni: (stream) => void numbersOf(stream, heard),
    });
    let link = call.audio({ silence: "send" });
    await clock.advance(100);
    peers[0]!.pair.sever();
    for (let round = 0; round < 2; round++) {
      await clock.advance(60);
      void link.close();
      await clock.advance(20);
      link = call.audio({ silence: "send" });
    }
    await clock.advance(5_000);
    assert.ok(link.stats().sent > 100 && heard.length > 100);
    for (const [at, number] of heard.entries()) {
      assert.ok(at === 0 || number > heard[at - 1]!, `${number} left after ${heard[at - 1]}`);
    }
    await close();
  });

  for (const audioStreams of ["call", "shared"] as const) {
    it(`sends the next call on another stream after the gateway has reset one (${audioStreams})`, async () => {
      const heard: number[] = [];
      let isReset = false;
      const { clock, client, call, close } = await story({
        client: { audioStreams },
        onUni: (stream) => {
          if (isReset) return void numbersOf(stream, heard);
          isReset = true;
          void stream.cancel();
        },
      });
      const first = call.audio({ silence: "send" });
      await clock.advance(3_000);
      await assert.rejects(first.flush(), hasCode("ERR_CALL_ENDED"));
      const next = await client.dial({ to: "+15550101", trunkId: "main" });
      next.audio({ silence: "send", earlyMedia: true });
      await clock.advance(1_000);
      assert.ok(heard.length >= 50, `${heard.length} frames`);
      await close();
    });
  }

  it("lets nothing of before clear() leave from a shared stream that another has followed meanwhile", async () => {
    const heard: number[] = [];
    let isFirst = true;
    let release = (): void => {};
    const stalled = (session: WebTransportLike): void => {
      session.createUnidirectionalStream = () => {
        const isStalled = isFirst;
        const frames = new FrameReader();
        isFirst = false;
        return Promise.resolve(
          new WritableStream<Uint8Array>({
            async write(bytes) {
              if (isStalled) await new Promise<void>((resolve) => release = resolve);
              for (const { envelope } of frames.push(bytes)) {
                const { payload } = AudioFrame.decode(envelope);
                if (payload.length > 0) heard.push(payload[0]!);
              }
            },
          }),
        );
      };
    };
    const { client, clock, call, close } = await story({
      client: { audioStreams: "shared" },
      onDial: stalled,
    });
    const first = call.audio();
    void first.play(new Uint8Array(160).fill(9));
    await clock.advance(40);
    const other = await client.dial({ to: "+15550101", trunkId: "main" });
    const audio = other.audio({ earlyMedia: true });
    void audio.play(new Uint8Array(160 * 50).fill(1));
    await clock.advance(100);
    // Its end waits behind the other call's frames, and its next link for a stream of its own.
    void first.close();
    await clock.advance(20);
    call.audio();
    void audio.clear();
    void audio.play(new Uint8Array(160 * 3).fill(2));
    for (let turn = 0; turn < 20; turn++) {
      release();
      await clock.advance(20);
    }
    assert.deepEqual(heard, [9, 2, 2, 2]);
    const closing = close();
    release();
    await closing;
  });

  it("sends another link of a call on another stream, where calls share one: the first has said its end", async () => {
    const streams: number[][] = [];
    const { clock, call, close } = await story({
      client: { audioStreams: "shared" },
      onUni: (stream) => void numbersOf(stream, streams[streams.push([]) - 1]!),
    });
    for (let i = 0; i < 2; i++) {
      const link = call.audio();
      void link.writable.getWriter().write(new Uint8Array(160 * 2)).catch(() => {});
      const closing = link.close();
      await clock.advance(100);
      await closing;
    }
    assert.deepEqual(streams, [[0, 1, 2], [3, 4, 5]]);
    await close();
  });

  it("finishes a stream that was moved while its link was ending: none stays open", async () => {
    let open = 0;
    const { clock, peers, call, close } = await story({
      pair: { highWaterMark: 512 },
      onUni: (stream, peer) => {
        if (peer.index === 0) return;
        open++;
        void numbersOf(stream, []).then(() => open--);
      },
    });
    const link = call.audio({ leadMs: 1_000 });
    const writer = link.writable.getWriter();
    void writer.write(new Uint8Array(160 * 20)).catch(() => {});
    void writer.close().catch(() => {});
    await clock.advance(1_000);
    peers[0]!.pair.sever();
    await clock.advance(5_000);
    assert.equal(open, 0);
    await close();
    assert.equal(clock.pending, 0);
  });
});

describe("AudioLink.close()", () => {
  it("settles a write that waits when the link is closed under its writer, and refuses later ones", async () => {
    const { clock, call, close } = await story({
      onUni: (stream) => void numbersOf(stream, []),
    });
    const link = call.audio();
    const writer = link.writable.getWriter();
    const writing = writer.write(new Uint8Array(160 * 10));
    await settle();
    const closing = link.close();
    await clock.advance(1_000);
    await closing;
    await writing;
    await assert.rejects(writer.write(new Uint8Array(160)), hasCode("ERR_CALL_ENDED"));
    await close();
  });

  it("ends under a writer that goes on and on: what it writes after is refused, and nothing spins", async () => {
    for (const frames of [1, 5]) {
      const numbers: number[] = [];
      const { clock, call, close } = await story({
        onUni: (stream) => void numbersOf(stream, numbers),
      });
      const link = call.audio();
      const writer = link.writable.getWriter();
      let writes = 0;
      const speaking = (async () => {
        for (; writes < 1_000; writes++) await writer.write(new Uint8Array(160 * frames));
      })();
      speaking.catch(() => {});
      await clock.advance(100);
      const closing = link.close();
      await clock.advance(500);
      await closing;
      await assert.rejects(speaking, hasCode("ERR_CALL_ENDED"));
      assert.equal(numbers.length, writes * frames + 1, "what it took, and the end");
      await close();
    }
  });

  it("ends where a chunk was refused, for its type or after the end, and writable's does", async () => {
    for (const how of ["after the end", "type"]) {
      const numbers: number[] = [];
      const { clock, call, close } = await story({
        onUni: (stream) => void numbersOf(stream, numbers),
      });
      const link = call.audio();
      const writer = link.writable.getWriter();
      writer.closed.catch(() => {});
      void writer.write(new Uint8Array(160)).catch(() => {});
      if (how === "type") void writer.write("hello" as never).catch(() => {});
      const ending = how === "type" ? link.close() : writer.close();
      await assert.rejects(writer.write(new Uint8Array(160)), TypeError);
      await clock.advance(100);
      await ending;
      assert.deepEqual(numbers, [0, 1], "the first frame, and the end");
      await close();
    }
  });

  it("abort() says the end at once, also while a long chunk plays, and while writable closes", async () => {
    for (const isClosing of [false, true]) {
      const numbers: number[] = [];
      const { clock, call, close } = await story({
        onUni: (stream) => void numbersOf(stream, numbers),
      });
      const writer = call.audio().writable.getWriter();
      writer.closed.catch(() => {});
      void writer.write(new Uint8Array(160 * 500)).catch(() => {});
      if (isClosing) void writer.close().catch(() => {});
      await clock.advance(100);
      const sent = numbers.length;
      await writer.abort();
      await settle();
      assert.equal(numbers.length - sent, 1, "the end");
      await clock.advance(1_000);
      assert.equal(numbers.length - sent, 1, "and nothing after it");
      await close();
    }
  });

  it("goes on after a frame with half a sample", async () => {
    const { clock, peers, call, close } = await story();
    const link = call.audio({ codec: "PCM16" });
    const reader = link.samples.getReader();
    for (const [sequenceNumber, bytes] of [640, 641, 320].entries()) {
      const payload = new Uint8Array(bytes);
      const frame = { callSid: call.sid, codec: "PCM16", sequenceNumber, payload };
      await peers[0]!.push(methods.AudioFrame, frame);
      await clock.advance(20);
    }
    assert.equal((await reader.read()).value?.length, 320);
    assert.equal((await reader.read()).value?.length, 160);
    await close();
  });

  it("hears the rest of a call that hangs up while the link is open", async () => {
    const { clock, peers, call, close } = await story({
      onUni: (stream) => void numbersOf(stream, []),
    });
    const link = call.audio();
    await peers[0]!.push(methods.CallEvent, { ...hangup(call.sid) });
    await clock.advance(300);
    assert.equal((await call.ended).q850Cause, 16);
    assert.equal((await link.readable.getReader().read()).done, true);
    await close();
  });
});

describe("a link whose call has hung up", () => {
  for (const jitterBufferMs of [undefined, 40]) {
    const how = jitterBufferMs === undefined ? "at once" : "when it was played";
    it(`ends with the last frame that was under way, ${how}`, async () => {
      const { clock, peers, call, close } = await story();
      const link = call.audio({ jitterBufferMs });
      let isOver = false;
      void audioPort(link).ended.then(() => isOver = true);
      await peers[0]!.push(methods.CallEvent, { ...hangup(call.sid) });
      await clock.advance(10);
      assert.equal(isOver, false);
      const payload = new Uint8Array(160);
      for (const sequenceNumber of [0, 1, 2]) {
        const frame = { callSid: call.sid, codec: "PCMU", payload, sequenceNumber };
        await push(peers[0]!, { ...frame, endOfStream: sequenceNumber === 2 });
      }
      await settle();
      if (jitterBufferMs !== undefined) await clock.advance(120);
      await settle();
      assert.equal(isOver, true);
      await close();
    });
  }
});

function hangup(callSid: string): Partial<CallEvent> {
  return { callSid, eventType: 3, status: "COMPLETED", q850Cause: 16, timestampMs: 1 };
}
