import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { createSessionPair } from "../../../src/transport/pair.ts";
import { Session } from "../../../src/transport/session.ts";
import type {
  BidirectionalStream,
  CloseInfo,
  DatagramsLike,
  WebTransportLike,
} from "../../../src/transport/types.ts";
import { FakeClock, settle } from "../../../src/testing/mod.ts";

/** A session of which a test scripts every part. */
class Scripted implements WebTransportLike {
  ready: Promise<unknown> = Promise.resolve();
  closed: Promise<unknown> = new Promise(() => {});
  incomingBidirectionalStreams = new ReadableStream<BidirectionalStream>();
  incomingUnidirectionalStreams = new ReadableStream<ReadableStream<Uint8Array>>();
  datagrams: DatagramsLike | undefined;
  streamsLeft: number | undefined;
  readonly closes: (CloseInfo | undefined)[] = [];
  createBidirectionalStream: () => Promise<BidirectionalStream> = () => new Promise(() => {});
  createUnidirectionalStream: () => Promise<WritableStream<Uint8Array>> = () =>
    new Promise(() => {});
  close(info?: CloseInfo): void {
    this.closes.push(info);
  }
}

function scripted(parts: Partial<Scripted> = {}) {
  const transport = Object.assign(new Scripted(), parts);
  const clock = new FakeClock();
  return { transport, clock, session: new Session(transport, { clock }) };
}

/** A stream that reports its outcome. */
function traced() {
  const fate = { aborted: false, cancelled: false };
  const stream: BidirectionalStream = {
    readable: new ReadableStream({ cancel: () => void (fate.cancelled = true) }),
    writable: new WritableStream({ abort: () => void (fate.aborted = true) }),
  };
  return { stream, fate };
}

const closedError = { name: "TeleQuickError", code: "ERR_SESSION_CLOSED", retryable: true };
const limitError = { name: "TeleQuickError", code: "ERR_LIMIT", retryable: true };

describe("Session streams", () => {
  it("openBidirectional() and openUnidirectional() reach the peer's incoming streams", async () => {
    const pair = createSessionPair();
    const client = new Session(pair.client);
    const server = new Session(pair.server);
    const near = await client.openBidirectional();
    near.writable.getWriter().write(Uint8Array.of(1));
    const { value: far } = await server.incomingBidirectional.getReader().read();
    assert.deepEqual([...(await far!.readable.getReader().read()).value!], [1]);
    const uni = await server.openUnidirectional();
    uni.getWriter().write(Uint8Array.of(2));
    const { value } = await client.incomingUnidirectional.getReader().read();
    assert.deepEqual([...(await value!.getReader().read()).value!], [2]);
  });

  it("acceptBidirectional() and acceptUnidirectional() take the peer's streams until the session is over", async () => {
    const pair = createSessionPair();
    const client = new Session(pair.client);
    const server = new Session(pair.server);
    const taken: string[] = [];
    server.acceptBidirectional(() => void taken.push("both ways"));
    server.acceptUnidirectional(() => void taken.push("one way"));
    await client.openBidirectional();
    await client.openUnidirectional();
    await client.openBidirectional();
    await settle();
    assert.deepEqual(taken.toSorted(), ["both ways", "both ways", "one way"]);
    server.close();
    await client.openBidirectional().catch(() => {});
    await settle();
    assert.equal(taken.length, 3);
  });

  it("asks for the next stream when the last one is done with", async () => {
    let asked = 0;
    const { session } = scripted({
      incomingBidirectionalStreams: new ReadableStream({
        pull(controller) {
          asked++;
          controller.enqueue(traced().stream);
        },
      }, { highWaterMark: 0 }),
    });
    let finish = (): void => {};
    session.acceptBidirectional(() => new Promise((resolve) => finish = resolve));
    for (let round = 1; round <= 3; round++) {
      await settle();
      assert.equal(asked, round);
      finish();
    }
    session.close();
  });

  it("takes no stream that comes after the session's end", async () => {
    let push!: (stream: BidirectionalStream) => void;
    const { session } = scripted({
      incomingBidirectionalStreams: new ReadableStream({
        start: (controller) => void (push = (stream) => controller.enqueue(stream)),
      }),
    });
    const taken: BidirectionalStream[] = [];
    session.acceptBidirectional((stream) => void taken.push(stream));
    push(traced().stream);
    await settle();
    session.close();
    push(traced().stream);
    await settle();
    assert.equal(taken.length, 1);
  });

  it("openBidirectional() waits for credit where the implementation refuses at once", async () => {
    const pair = createSessionPair({ maxStreams: 1 });
    const clock = new FakeClock();
    const session = new Session(pair.client, { clock });
    const first = await session.openBidirectional();
    const second = session.openBidirectional();
    await clock.advance(1_000);
    await first.writable.abort();
    await first.readable.cancel();
    await clock.advance(160);
    assert.ok(await second);
    assert.equal(clock.pending, 0);
  });

  it("openBidirectional() rejects with ERR_LIMIT when no credit comes, refused at once or waiting", async () => {
    const pair = createSessionPair({ maxStreams: 0 });
    const clock = new FakeClock();
    const refusing = new Session(pair.client, { clock });
    const waiting = scripted();
    for (const [session, time] of [[refusing, clock], [waiting.session, waiting.clock]] as const) {
      for (const open of ["openBidirectional", "openUnidirectional"] as const) {
        const opening = session[open]();
        const failed = assert.rejects(opening, limitError);
        await time.advance(5_000);
        await failed;
        assert.equal(time.pending, 0);
      }
    }
  });

  it("openBidirectional() says at once that a runtime without returned credit has no stream left", async () => {
    const cause = new RangeError("maximum number of concurrent outgoing bidirectional streams");
    const { session, clock } = scripted({
      streamsLeft: 0,
      createBidirectionalStream: () => Promise.reject(cause),
    });
    await assert.rejects(session.openBidirectional(), { ...limitError, cause });
    assert.equal(session.streamsLeft, 0);
    assert.equal(clock.pending, 0);
  });

  it("openBidirectional() keeps to its own timeoutMs", async () => {
    const { session, clock } = scripted();
    const failed = assert.rejects(session.openBidirectional({ timeoutMs: 50 }), /within 50 ms/);
    await clock.advance(50);
    await failed;
  });

  it("openBidirectional() discards a stream that comes too late", async () => {
    const { stream, fate } = traced();
    let deliver!: (stream: BidirectionalStream) => void;
    const { session, clock } = scripted({
      createBidirectionalStream: () => new Promise((resolve) => deliver = resolve),
    });
    const failed = assert.rejects(session.openBidirectional(), limitError);
    await clock.advance(5_000);
    await failed;
    deliver(stream);
    await settle();
    assert.deepEqual(fate, { aborted: true, cancelled: true });
  });

  it("openBidirectional() rejects with the signal's reason, and discards what comes later", async () => {
    const { stream, fate } = traced();
    let deliver!: (stream: BidirectionalStream) => void;
    const { session, clock } = scripted({
      createBidirectionalStream: () => new Promise((resolve) => deliver = resolve),
    });
    const controller = new AbortController();
    const opening = session.openBidirectional({ signal: controller.signal });
    controller.abort("enough");
    await assert.rejects(opening, (reason) => reason === "enough");
    deliver(stream);
    await settle();
    assert.deepEqual(fate, { aborted: true, cancelled: true });
    assert.equal(clock.pending, 0);
    await assert.rejects(
      session.openBidirectional({ signal: controller.signal }),
      (reason) => reason === "enough",
    );
  });

  it("openBidirectional() discards the stream of a wait that is given up in any turn", async () => {
    let given = 0;
    for (let turns = 0; turns < 8; turns++) {
      const { stream, fate } = traced();
      const { session } = scripted({ createBidirectionalStream: () => Promise.resolve(stream) });
      const controller = new AbortController();
      const opening = session.openBidirectional({ signal: controller.signal });
      const opened = opening.then(() => true, () => false);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      controller.abort();
      const isOpen = await opened;
      await settle();
      assert.deepEqual(fate, { aborted: !isOpen, cancelled: !isOpen }, `after ${turns} turns`);
      if (!isOpen) given++;
    }
    assert.ok(given > 1 && given < 8, `${given} of 8 were given up`);
  });

  it("openBidirectional() turns a foreign error into ours", async () => {
    const cause = new Error("connection lost");
    const { session } = scripted({ createBidirectionalStream: () => Promise.reject(cause) });
    await assert.rejects(session.openBidirectional(), { ...closedError, cause });
  });

  it("openBidirectional() rejects when the session ends meanwhile, and afterwards", async () => {
    const { session, clock } = scripted();
    const pending = [session.openBidirectional(), session.openUnidirectional()];
    await settle();
    session.close({ reason: "enough" });
    for (const opening of pending) {
      await assert.rejects(opening, { ...closedError, message: /the session is over \(enough\)/ });
    }
    await assert.rejects(session.openBidirectional(), closedError);
    assert.equal(clock.pending, 0);
  });

  it("incoming streams end with the session, however it ends", async () => {
    for (const end of ["close", "peer", "sever"] as const) {
      const pair = createSessionPair();
      const session = new Session(pair.client);
      const readings = [
        session.incomingBidirectional.getReader().read(),
        session.incomingUnidirectional.getReader().read(),
      ];
      if (end === "close") session.close();
      else if (end === "peer") pair.server.close();
      else pair.sever();
      for (const reading of readings) assert.equal((await reading).done, true, end);
    }
  });

  it("incoming streams end even where the implementation never ends its own", async () => {
    const { session } = scripted();
    const reading = session.incomingBidirectional.getReader().read();
    session.close();
    assert.equal((await reading).done, true);
    assert.equal((await session.incomingUnidirectional.getReader().read()).done, true);
  });

  it("incoming streams can be left by their reader", async () => {
    let cancelled: unknown;
    const { session } = scripted({
      incomingBidirectionalStreams: new ReadableStream({
        cancel: (reason) => void (cancelled = reason),
      }),
    });
    await session.incomingBidirectional.cancel("no more");
    assert.equal(cancelled, "no more");
    session.close();
  });
});

describe("Session.closed", () => {
  it("resolves with what the implementation resolves with, or nothing", async () => {
    const cases: readonly (readonly [info: unknown, closed: unknown])[] = [
      [{ closeCode: 4, reason: "x" }, { code: 4, reason: "x" }],
      [{ closeCode: 4 }, { code: 4, reason: "" }],
      [{}, { reason: "" }],
      [undefined, { reason: "" }],
      [null, { reason: "" }],
      ["timed out", { reason: "" }],
    ];
    for (const [info, closed] of cases) {
      const { session } = scripted({ closed: Promise.resolve(info) });
      assert.deepEqual(await session.closed, closed);
      assert.equal(session.isClosed, true);
    }
  });

  it("resolves, too, when the implementation rejects closed or ready", async () => {
    const error = new Error("timed out");
    for (const parts of [{ closed: Promise.reject(error) }, { ready: Promise.reject(error) }]) {
      const { session } = scripted(parts);
      assert.deepEqual(await session.closed, { reason: "timed out", error });
    }
  });

  it("resolves at once on close(), with any implementation", async () => {
    const { session, transport } = scripted();
    session.close({ closeCode: 7, reason: "bye" });
    session.close({ closeCode: 8 });
    assert.deepEqual(await session.closed, { code: 7, reason: "bye" });
    assert.deepEqual(transport.closes, [{ closeCode: 7, reason: "bye" }]);
  });

  it("closes later what cannot be closed yet", async () => {
    let open!: () => void;
    let isReady = false;
    const closes: unknown[] = [];
    const transport = Object.assign(new Scripted(), {
      ready: new Promise<void>((resolve) => open = resolve),
      close(info: CloseInfo) {
        if (!isReady) throw new Error("WebTransport is not connected");
        closes.push(info);
      },
    });
    const session = new Session(transport, { clock: new FakeClock() });
    session.close();
    await session.closed;
    isReady = true;
    open();
    await settle();
    assert.equal(closes.length, 1);
  });

  it("is awaited by asynchronous disposal", async () => {
    const pair = createSessionPair();
    {
      await using session = new Session(pair.client);
      assert.equal(session.isClosed, false);
    }
    assert.deepEqual(await pair.server.closed, { closeCode: 0, reason: "" });
  });
});

describe("Session.ping() and keepsAlive", () => {
  it("sends one byte, and says so", async () => {
    const sent: number[] = [];
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) => void sent.push(chunk.length),
    });
    const { session } = scripted({ datagrams: { writable } });
    assert.equal(await session.ping(), true);
    assert.equal(await session.ping(), true);
    assert.deepEqual(sent, [1, 1]);
    assert.equal(session.keepsAlive, false);
  });

  it("says false without datagrams, with a broken writer, and after the end", async () => {
    assert.equal(await scripted().session.ping(), false);
    const broken = new WritableStream<Uint8Array>({
      write() {
        throw new Error("too large");
      },
    });
    const { session } = scripted({ datagrams: { writable: broken } });
    assert.equal(await session.ping(), false);
    assert.equal(await session.ping(), false);
    session.close();
    assert.equal(await session.ping(), false);
  });

  it("passes on what the implementation claims", () => {
    assert.equal(new Session(createSessionPair().client).keepsAlive, true);
    assert.equal(new Session(createSessionPair({ keepsAlive: false }).client).keepsAlive, false);
  });
});

describe("Session.drain() and draining", () => {
  it("ask the implementation, and report what the peer asks for", async () => {
    const { client, server } = createSessionPair();
    let asked = 0;
    let onDrain!: () => void;
    const draining = new Promise<void>((resolve) => onDrain = resolve);
    Object.defineProperties(client, {
      drain: { value: () => void asked++ },
      draining: { value: draining },
    });
    const session = new Session(client);
    session.drain();
    assert.equal(asked, 1);
    onDrain();
    await session.draining;
    session.close();
    session.drain();
    assert.equal(asked, 1);
    // An implementation without either.
    new Session(server).drain();
  });
});

describe("Session", () => {
  it("shows nothing of its inside when it is inspected", () => {
    const session = new Session(createSessionPair().client);
    assert.deepEqual(Object.keys(session), ["closed"]);
    assert.ok(!(session.closed instanceof TeleQuickError));
  });
});
