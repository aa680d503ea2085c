import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PushHandlers, routePushes } from "../../../../src/client/session/push_router.ts";
import { createSessionPair } from "../../../../src/transport/pair.ts";
import { Session } from "../../../../src/transport/session.ts";
import { type AudioFrame, type CallEvent, encodeFrame, methods } from "../../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";

const audio = encodeFrame(methods.AudioFrame, { callSid: "c", payload: new Uint8Array(160) });
const event = encodeFrame(methods.CallEvent, { callSid: "c" });
const ending = encodeFrame(methods.SessionEnding, { code: 503, reason: "restart" });

/** A session whose pushes are routed, and what came of them. */
function routed() {
  const clock = new FakeClock();
  const log: string[] = [];
  const broken: { readonly heardAt: number; readonly isMidFrame: boolean }[] = [];
  const handlers: PushHandlers = {
    lastHeard: () => -1,
    speaks: () => clock.monotonic(),
    heard: () => clock.monotonic(),
    audio: (frame: AudioFrame) => log.push(`audio ${frame.callSid} ${frame.payload.length}`),
    event: (value: CallEvent) => log.push(`event ${value.callSid}`),
    ending: ({ code, reason }: { code: number; reason: string }) =>
      log.push(`ending ${code} ${reason}`),
    unknown: (id: number) => log.push(`unknown ${id}`),
    malformed: (error: unknown) => log.push(`malformed ${(error as Error).message}`),
    broken: (end: { readonly heardAt: number; readonly isMidFrame: boolean }) => broken.push(end),
  } as unknown as PushHandlers;
  const pair = createSessionPair({ maxStreams: 1_000 });
  const server = new Session(pair.server, { clock });
  const client = new Session(pair.client, { clock });
  routePushes(client, handlers, clock);
  const open = async () => (await server.openUnidirectional()).getWriter();
  return { broken, client, clock, log, open };
}

describe("routePushes()", () => {
  it("hands each kind of push to its handler, in order, and skips what it does not know", async () => {
    const { broken, log, open } = routed();
    const writer = await open();
    const unknown = event.slice();
    new DataView(unknown.buffer).setUint32(4, 7, true);
    for (const frame of [audio, event, ending, unknown]) await writer.write(frame);
    await settle();
    assert.deepEqual(log, ["audio c 160", "event c", "ending 503 restart", "unknown 7"]);
    assert.deepEqual(broken, []);
  });

  it("takes a stream that the gateway finishes between two frames for no fault", async () => {
    const { broken, log, open } = routed();
    const writer = await open();
    await writer.write(event);
    await writer.close();
    await settle();
    assert.deepEqual([log, broken], [["event c"], []]);
  });

  it("reports a stream of events that ends inside a frame, with when it was last heard", async () => {
    const { broken, clock, log, open } = routed();
    const writer = await open();
    await clock.advance(5);
    await writer.write(event);
    await settle();
    await clock.advance(5);
    await writer.write(event.subarray(0, 9));
    await settle();
    await writer.close();
    await settle();
    assert.deepEqual(broken, [{ heardAt: 5, isMidFrame: true }]);
    assert.deepEqual(log, ["event c"]);
  });

  it("reports a stream of events that is reset between two frames", async () => {
    const { broken, open } = routed();
    const writer = await open();
    await writer.write(event);
    await settle();
    await writer.abort(new Error("reset"));
    await settle();
    assert.deepEqual(broken, [{ heardAt: 0, isMidFrame: false }]);
  });

  it("does not report a stream of audio alone that breaks off: the next packet says it all", async () => {
    const { broken, open } = routed();
    const writer = await open();
    await writer.write(audio);
    await settle();
    await writer.abort(new Error("reset"));
    const mixed = await open();
    await settle();
    assert.deepEqual(broken, []);
    await mixed.write(audio);
    await mixed.write(event);
    await settle();
    await mixed.abort(new Error("reset"));
    await settle();
    assert.equal(broken.length, 1);
  });

  it("takes an audio frame of 64 KiB, and refuses one byte more", async () => {
    const { broken, log, open } = routed();
    const overhead = encodeFrame(methods.AudioFrame, { callSid: "c" }).length - 8;
    const of = (bytes: number) =>
      encodeFrame(methods.AudioFrame, {
        callSid: "c",
        payload: new Uint8Array(bytes - overhead),
      });
    const writer = await open();
    await writer.write(of(65_536));
    await settle();
    assert.deepEqual(log, [`audio c ${65_536 - overhead}`]);
    writer.write(of(65_537)).catch(() => {});
    await settle();
    assert.equal(
      log[1],
      "malformed Cannot read audio: the frame has 65537 bytes, expected at most 65536",
    );
    assert.deepEqual(broken, [], "a stream of audio alone");
  });

  it("refuses a frame of more than 256 KiB by its length, and a message that cannot be read", async () => {
    const { broken, log, open } = routed();
    const first = await open();
    const large = event.slice(0, 14);
    new DataView(large.buffer).setUint32(0, 256 * 1024 + 1, true);
    first.write(large).catch(() => {});
    await settle();
    assert.match(log[0]!, /^malformed Cannot read frame: length is 262145/);
    const second = await open();
    const damaged = event.slice();
    damaged[14] = 0xff;
    damaged[15] = 0xff;
    second.write(damaged).catch(() => {});
    await settle();
    assert.match(log[1]!, /^malformed Cannot decode CallEvent/);
    assert.equal(broken.length, 2);
  });

  it("gives a frame 30 s to arrive, then cancels its stream", async () => {
    const { broken, clock, log, open } = routed();
    const writer = await open();
    await writer.write(event.subarray(0, 9));
    await settle();
    await clock.advance(29_999);
    assert.deepEqual(log, []);
    await clock.advance(1);
    await settle();
    assert.deepEqual(log, ["malformed A frame was not complete within 30000 ms"]);
    assert.equal(broken.length, 1);
  });

  it("reads 256 streams at a time: one more is cancelled, until one of them ends", async () => {
    const { log, open } = routed();
    const writers = [];
    for (let i = 0; i < 256; i++) writers.push(await open());
    await writers[255]!.write(event);
    await settle();
    assert.deepEqual(log, ["event c"]);
    await open();
    await settle();
    assert.deepEqual(log.slice(1), ["malformed More than 256 push streams at a time"]);
    await writers[0]!.close();
    await settle();
    const next = await open();
    await next.write(audio);
    await settle();
    assert.deepEqual(log.slice(2), ["audio c 160"]);
    await open();
    await settle();
    assert.equal(log.length, 4);
  });

  it("routes nothing once the session is over", async () => {
    const { client, log, open } = routed();
    const writer = await open();
    await writer.write(event);
    await settle();
    client.close();
    await writer.write(event).catch(() => {});
    await settle();
    assert.deepEqual(log, ["event c"]);
  });
});
