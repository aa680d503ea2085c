/** Input that begins and does not end, and input that is not read: bounded in bytes and in time, on both sides. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventHub, LISTENER_BYTES } from "../../src/client/call/event_hub.ts";
import { type PushHandlers, routePushes } from "../../src/client/session/push_router.ts";
import { FakeClock, settle } from "../../src/testing/mod.ts";
import { createSessionPair } from "../../src/transport/mod.ts";
import { Session } from "../../src/transport/session.ts";
import { CallEvent, encodeFrame, encodeRequest, methods } from "../../src/wire/mod.ts";
import type { RawClient } from "../support/raw_client.ts";
import { TestGateway } from "../support/tenant_kit.ts";

const KIB = 1_024;

/** The first bytes of an audio frame that will not end. */
function audioStart(bytes: number): Uint8Array {
  const payload = new Uint8Array(60 * KIB);
  return encodeFrame(methods.AudioFrame, { callSid: "c", codec: "PCMU", payload })
    .subarray(0, bytes);
}

/** Opens streams with so many bytes of a frame each. Returns how many of them the gateway goes on reading, as it changes. */
async function hold(client: RawClient, streams: number, bytes: number): Promise<() => number> {
  let open = 0;
  for (let i = 0; i < streams; i++) {
    const audio = await client.openAudio();
    open++;
    void audio.stopped.then(() => open--);
    await audio.write(audioStart(bytes)).catch(() => {});
    await settle();
  }
  return () => open;
}

describe("G-32 unfinished input at the gateway", () => {
  it("G-32 holds a session's unfinished frames within bounds, and for ten seconds", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const attacker = await setup.connect(acme);
    const open = await hold(attacker, 60, 50 * KIB);
    // 256 KiB hold five of them.
    assert.equal(open(), 5);
    // Requests have the same room.
    const request = encodeRequest(methods.Terminate, { callSid: "x".repeat(40 * KIB) });
    const { isReset } = await attacker.exchange(methods.Terminate, request.subarray(0, 30 * KIB), {
      finish: false,
    });
    assert.equal(isReset, true);
    const { reply } = await attacker.rpc(methods.Terminate, { callSid: "none" });
    assert.equal(reply?.errorCode, 7, "what is whole is answered");
    await setup.clock.advance(9_000);
    assert.equal(open(), 5);
    await setup.clock.advance(2_000);
    assert.equal(open(), 0);
    assert.equal(setup.gateway.stats().sessions.open, 1);
    // The room is there again.
    assert.equal((await hold(attacker, 3, 50 * KIB))(), 3);
  });

  it("G-32 holds a tenant's within bounds, and leaves another's untouched room", async () => {
    await using setup = new TestGateway({
      limits: { unfinishedBytes: 100 * KIB, unfinishedBytesPerTenant: 250 * KIB },
    });
    const acme = await setup.addTenant("acme");
    const globex = await setup.addTenant("globex");
    const open: (() => number)[] = [];
    for (let i = 0; i < 5; i++) {
      open.push(await hold(await setup.connect(acme), 3, 50 * KIB));
    }
    assert.equal(open.reduce((sum, each) => sum + each(), 0), 5);
    assert.equal((await hold(await setup.connect(globex), 2, 50 * KIB))(), 2);
  });

  it("G-32 a frame that is sent slowly but ends in time is taken; the next has its own time", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
    const call = { trunkId: "main", to: "+15550100", callSid: "c", clientId: "c", defaultApp: 1 };
    await client.rpc(methods.Originate, call);
    await setup.clock.advance(2_000);
    const audio = await client.openAudio();
    const before = setup.gateway.stats().audio.received;
    for (let n = 0; n < 4; n++) {
      const frame = encodeFrame(methods.AudioFrame, {
        ...{ callSid: "c", codec: "PCMU", payload: new Uint8Array(160), sequenceNumber: n },
      });
      // Each chunk ends a frame and begins the next.
      for (const [from, to] of [[0, 20], [20, 90], [90, frame.length]] as const) {
        await audio.write(frame.subarray(from, to));
        await setup.clock.advance(3_000);
      }
    }
    assert.equal(setup.gateway.stats().audio.received - before, 4);
  });
});

describe("G-32 unfinished input at the client", () => {
  it("G-32 holds a session's unfinished push frames within 2 MiB, and for 30 seconds", async () => {
    const clock = new FakeClock();
    const pair = createSessionPair();
    const said: string[] = [];
    const events: CallEvent[] = [];
    const handlers: PushHandlers = {
      speaks: () => clock.monotonic(),
      heard: () => clock.monotonic(),
      lastHeard: () => 0,
      event: (event) => void events.push(event),
      audio() {},
      ending() {},
      unknown() {},
      malformed: (error) => void said.push((error as Error).message),
      broken() {},
    };
    routePushes(new Session(pair.client, { clock }), handlers, clock);
    const gateway = pair.incoming.session;
    const url = "x".repeat(16 * KIB);
    const frame = encodeFrame(methods.CallEvent, { callSid: "c", recordingUrl: url });
    let open = 0;
    for (let i = 0; i < 250; i++) {
      const writer = (await gateway.createUnidirectionalStream()).getWriter();
      open++;
      writer.closed.catch(() => open--);
      // Claims to be as long as a frame may be.
      const start = new Uint8Array(200 * KIB);
      start.set(
        encodeFrame(methods.AudioFrame, {
          ...{ callSid: "c", codec: "PCMU", payload: new Uint8Array(250 * KIB) },
        }).subarray(0, 200 * KIB),
      );
      await writer.write(start).catch(() => {});
      await settle();
    }
    assert.equal(open, 10);
    const honest = (await gateway.createUnidirectionalStream()).getWriter();
    await honest.write(frame);
    await settle();
    assert.equal(events.length, 1);
    await clock.advance(31_000);
    assert.equal(open, 0);
    assert.ok(said.some((text) => /not complete within 30000 ms/.test(text)));
    assert.ok(said.some((text) => /More than 2097152 bytes of unfinished frames/.test(text)));
    pair.client.close();
  });
});

describe("C-15 what a hostile gateway makes the client keep", () => {
  const event = (i: number, more: Partial<CallEvent> = {}): CallEvent =>
    CallEvent.decode(CallEvent.encode({
      ...{ callSid: `c${i}`, eventType: 1, timestampMs: i, recordingUrl: "x".repeat(16 * KIB) },
      ...more,
    }));

  it("C-15 refuses texts in pushes that no honest gateway sends", () => {
    const names = ["callSid", "status", "trunkId", "tenantId", "codec", "clientId"] as const;
    for (const name of names) {
      event(1, { [name]: "x".repeat(KIB) });
      assert.throws(() => CallEvent.encode({ [name]: "x".repeat(KIB + 1) }), {
        code: "ERR_VALUE_INVALID",
        message: `Cannot encode CallEvent: ${name} is 1025 bytes of text, expected at most 1024`,
      });
    }
    assert.throws(() => event(1, { recordingUrl: "x".repeat(16 * KIB + 1) }));
  });

  it("C-15 keeps a slow listener's events within 8 MiB, the newest", async () => {
    const hub = new EventHub();
    const listener = hub.listen();
    for (let i = 0; i < 2_000; i++) hub.accept(event(i));
    const kept: string[] = [];
    hub.end(undefined);
    for await (const { callSid } of listener) kept.push(callSid);
    // A text is counted as two bytes a character.
    assert.ok(kept.length > 200 && kept.length * 32 * KIB <= LISTENER_BYTES, `${kept.length}`);
    assert.equal(kept.at(-1), "c1999");
    assert.equal(listener.dropped, 2_000 - kept.length);
  });

  it("C-15 keeps what it remembers of calls within 8 MiB: early events, and what it has seen", () => {
    const hub = new EventHub();
    for (let i = 0; i < 2_000; i++) hub.accept(event(i));
    const early = (i: number) => {
      const events: CallEvent[] = [];
      const sink = { deliver: (event: CallEvent) => void events.push(event) };
      hub.register(`c${i}`, sink);
      hub.unregister(`c${i}`, sink);
      return events.length;
    };
    assert.equal(early(1_999), 1);
    assert.equal(early(0), 0);

    // Ids and states of 1 KiB: what was seen of the oldest calls is forgotten, so their events count as new again.
    const seen = new EventHub();
    const long = (i: number, n: number) =>
      event(0, {
        callSid: `${i}-${"x".repeat(1_000)}`,
        status: `${n}${"x".repeat(1_000)}`,
        recordingUrl: "",
      });
    for (let i = 0; i < 200; i++) for (let n = 0; n < 60; n++) seen.accept(long(i, n));
    seen.accept(long(199, 59));
    assert.equal(seen.counts().duplicated, 1);
    seen.accept(long(0, 59));
    assert.equal(seen.counts().duplicated, 1);
  });
});
