import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { callRpc, type CallRpcOptions, LOSS_GRACE_MS } from "../../../../src/client/rpc/rpc.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { createSessionPair } from "../../../../src/transport/pair.ts";
import { Session } from "../../../../src/transport/session.ts";
import type { BidirectionalStream } from "../../../../src/transport/types.ts";
import { encodeReply } from "../../../../src/wire/frame.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";

const reply = encodeReply(methods.GetBucketCalls, { callSids: "a,b" });

/** The client's side of one stream, of which the test is the gateway. */
function scripted(options: Partial<CallRpcOptions> = {}) {
  const clock = new FakeClock();
  const written: Uint8Array[] = [];
  const fate = { finished: false, aborted: [] as unknown[], cancelled: [] as unknown[], pulls: 0 };
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const stream: BidirectionalStream = {
    readable: new ReadableStream<Uint8Array>({
      start: (given) => void (controller = given),
      pull: () => void fate.pulls++,
      cancel: (reason) => void fate.cancelled.push(reason),
    }),
    writable: new WritableStream<Uint8Array>({
      write: (bytes) => void written.push(bytes),
      close: () => void (fate.finished = true),
      abort: (reason) => void fate.aborted.push(reason),
    }),
  };
  const session = new Session(
    Object.assign(createSessionPair().client, {
      createBidirectionalStream: () => Promise.resolve(stream),
    }),
    { clock },
  );
  const answer = callRpc(session, methods.GetBucketCalls, { bucketId: "b" }, {
    signal: undefined,
    timeoutMs: 5_000,
    clock,
    requestLength: "inclusive",
    ...options,
  });
  answer.catch(() => {});
  return { answer, clock, controller, fate, session, written };
}

describe("callRpc()", () => {
  it("writes one request, finishes the stream and resolves with the decoded reply", async () => {
    const { answer, controller, fate, written } = scripted();
    await settle();
    assert.equal(written.length, 1);
    assert.equal(fate.finished, true);
    controller.enqueue(reply.slice(0, 5));
    controller.enqueue(reply.slice(5));
    assert.deepEqual(await answer, { callSids: "a,b" });
    controller.close();
    await settle();
    assert.deepEqual(fate.cancelled, []);
    assert.deepEqual(fate.aborted, []);
  });

  it("refuses a value that cannot be sent before it opens a stream", () => {
    const { session, clock } = scripted();
    assert.throws(
      () =>
        callRpc(session, methods.GetBucketCalls, { bucketId: 1 as unknown as string }, {
          signal: undefined,
          timeoutMs: 5_000,
          clock,
          requestLength: "inclusive",
        }),
      TypeError,
    );
  });

  it("ends both halves of the stream with the signal's reason, and rejects with it", async () => {
    const controller = new AbortController();
    const reason = new Error("the caller hung up");
    const { answer, fate } = scripted({ signal: controller.signal });
    await settle();
    controller.abort(reason);
    await assert.rejects(answer, reason);
    await settle();
    assert.equal(fate.cancelled.length, 1);
    assert.equal(fate.finished || fate.aborted.length === 1, true);
  });

  it("says which method had no reply in time, and that it may have been carried out", async () => {
    const { answer, clock, fate } = scripted({ timeoutMs: 700 });
    const rejected = assert.rejects(answer, (error: Error) => {
      hasCode("ERR_TIMEOUT")(error);
      assert.match(error.message, /Cannot complete GetBucketCalls: no reply within 700 ms \(.+\)$/);
      return true;
    });
    await clock.advance(700);
    await rejected;
    await settle();
    assert.equal(fate.cancelled.length, 1);
  });

  it("cancels a stream that the gateway does not finish within a second of its reply", async () => {
    const { answer, clock, controller, fate } = scripted();
    await settle();
    controller.enqueue(reply);
    await answer;
    await clock.advance(999);
    assert.equal(fate.cancelled.length, 0);
    await clock.advance(1);
    assert.equal(fate.cancelled.length, 1);
  });

  it("cancels a stream on which 64 KiB follow the reply", async () => {
    const { answer, controller, fate } = scripted();
    await settle();
    controller.enqueue(reply);
    await answer;
    for (let i = 0; i < 63; i++) controller.enqueue(new Uint8Array(1_024));
    await settle();
    assert.equal(fate.cancelled.length, 0);
    controller.enqueue(new Uint8Array(1_024));
    await settle();
    assert.equal(fate.cancelled.length, 1);
  });

  it("waits for nothing any more once the gateway finished the stream", async () => {
    const { answer, clock, controller, fate } = scripted();
    await settle();
    controller.enqueue(reply);
    await answer;
    controller.close();
    await clock.advance(5_000);
    assert.deepEqual([fate.cancelled, fate.aborted], [[], []]);
  });

  it("takes a stream that ends without a reply for the loss only where the session ends too", async () => {
    for (const isLost of [false, true]) {
      const { answer, clock, controller, session } = scripted();
      await settle();
      controller.close();
      const ended = assert.rejects(
        answer,
        hasCode(isLost ? "ERR_SESSION_CLOSED" : "ERR_WIRE_INVALID"),
      );
      if (isLost) session.close();
      await clock.advance(LOSS_GRACE_MS);
      await ended;
    }
  });
});
