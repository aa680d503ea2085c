import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Call, SupervisionMode, TeleQuickClient } from "../../../../mod.ts";
import { decodePcmu, encodePcmu, toneSamples } from "../../../../src/audio/mod.ts";
import type { BidirectionalStream } from "../../../../src/transport/mod.ts";
import { encodeReply, methods } from "../../../../src/wire/mod.ts";
import { type ClientSetup, clientSetup, hasCode } from "../../../support/client_kit.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";
import { testAccount } from "../../../support/tenant_kit.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

/** A second client of a tenant: the supervisor's own. */
async function supervisor(story: ClientSetup, tenantId = "acme"): Promise<TeleQuickClient> {
  const { account } = await testAccount(tenantId);
  const client = new TeleQuickClient("https://gateway.test:9090", account, false, {
    webTransport: story.setup.gateway.webTransport,
    clock: story.setup.clock,
  });
  await client.connect();
  return client;
}

async function answered(story: ClientSetup): Promise<Call> {
  const call = await story.client.dial({ to: "+15550106", trunkId: "main" });
  await story.setup.clock.advance(250);
  await call.answered();
  return call;
}

async function close(story: ClientSetup, client: TeleQuickClient): Promise<void> {
  const closing = client.close();
  await story.setup.clock.advance(10_000);
  await closing;
}

function loudness(payload: Uint8Array): number {
  return Math.max(0, ...decodePcmu(payload).map(Math.abs));
}

const tone = encodePcmu(toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds: 400 }));

describe("Supervision", () => {
  it("monitors: hears the far end, is not heard", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const other = await supervisor(story);
    const supervision = await other.supervise({ callSid: call.sid });
    const reader = supervision.audio.readable.getReader();
    await story.setup.clock.advance(200);
    const { value } = await reader.read();
    assert.equal(value?.callSid, call.sid);
    assert.ok(loudness(value!.payload) > 1_000, "the far end's tone");
    reader.releaseLock();
    await supervision.close();
    await supervision.ended;
    assert.equal(call.state, "answered", "the call goes on without its supervisor");
    await call.hangUp();
    await close(story, other);
  });

  it("barges: what it says reaches the agent", async () => {
    await using story = await clientSetup();
    const call = await story.client.dial({ to: "+15550100", trunkId: "main" });
    await story.setup.clock.advance(250);
    await call.answered();
    const heard: number[] = [];
    const agent = call.audio({ receiveCapacity: 1_000 });
    void (async () => {
      for await (const { payload } of agent.readable) heard.push(loudness(payload));
    })();
    const other = await supervisor(story);
    await using supervision = await other.supervise({
      callSid: call.sid,
      mode: SupervisionMode.BARGE,
    });
    void supervision.audio.writable.getWriter().write(tone).catch(() => {});
    await story.setup.clock.advance(1_000);
    assert.ok(heard.some((peak) => peak > 1_000), "the supervisor's tone");
    await call.hangUp();
    await story.setup.clock.advance(1_000);
    await supervision.ended;
    await close(story, other);
  });

  it("moves along when the session is renewed", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const other = await supervisor(story);
    await using supervision = await other.supervise({ callSid: call.sid });
    await other.renew();
    await story.setup.clock.advance(3_000);
    const before = supervision.audio.stats().received;
    await story.setup.clock.advance(1_000);
    assert.ok(supervision.audio.stats().received >= before + 45, "it still hears the call");
    await call.hangUp();
    await close(story, other);
  });

  it("hears each frame once when it moves, with numbers that rise, though each session begins them anew", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const other = await supervisor(story);
    await using supervision = await other.supervise({
      callSid: call.sid,
      audio: { receiveCapacity: 1_000 },
    });
    const numbers: number[] = [];
    void (async () => {
      for await (const { sequenceNumber } of supervision.audio.readable) {
        numbers.push(sequenceNumber);
      }
    })();
    for (let i = 0; i < 3; i++) {
      await story.setup.clock.advance(1_000);
      await other.renew();
      await story.setup.clock.advance(1_000);
    }
    const { received, lost, duplicated, dropped } = supervision.audio.stats();
    assert.ok(received >= 290, `${received} frames in six seconds`);
    assert.deepEqual([lost, duplicated, dropped], [0, 0, 0]);
    assert.deepEqual(numbers, Array.from({ length: received }, (_, number) => number));
    await call.hangUp();
    await close(story, other);
  });

  it("refuses another tenant's call as one that does not exist, and reads the refusal", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const stranger = await supervisor(story, "globex");
    const told: string[] = [];
    for (const callSid of [call.sid, "no-such-call"]) {
      await assert.rejects(stranger.supervise({ callSid }), (error: Error) => {
        told.push(error.message);
        return hasCode("ERR_RPC_REJECTED")(error);
      });
    }
    assert.equal(told[0], told[1]);
    await call.hangUp();
    await close(story, stranger);
  });

  it("goes on where a session that it moves to ends before it has let it in", async () => {
    const clock = new FakeClock();
    let asked = 0;
    const gateway = scriptedGateway({
      onStream: ({ readable, writable }, { calls, index }) => {
        if (calls.length < 2) return false;
        asked++;
        const writer = writable.getWriter();
        void (async () => {
          // The second session ends each stream, and is then over.
          if (index === 1) await writer.close();
          else await writer.write(encodeReply(methods.SuperviseSubscribe, { status: "OK" }));
          await readable.pipeTo(new WritableStream());
        })().catch(() => {});
        return true;
      },
    });
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
      clock,
    });
    await client.connect();
    const supervision = await client.supervise({ callSid: "call" });
    let ended: unknown = "not";
    supervision.ended.then(() => ended = "left", (error) => ended = error);
    await client.renew();
    await clock.advance(200);
    gateway.peers[1]!.session.close();
    await clock.advance(5_000);
    assert.equal(gateway.peers.length, 3);
    assert.equal(asked, 3);
    assert.equal(ended, "not");
    const closing = client.close();
    await clock.advance(10_000);
    await closing;
  });

  it("stays on the newest session when the one before it lets it in, or refuses it, too late", async () => {
    for (const late of [{ status: "OK" }, { status: "ERROR", errorMessage: "no such call" }]) {
      const clock = new FakeClock();
      const answer = Promise.withResolvers<void>();
      const left: number[] = [];
      const serve = async (stream: BidirectionalStream, index: number): Promise<void> => {
        const writer = stream.writable.getWriter();
        if (index === 1) await answer.promise;
        await writer.write(
          encodeReply(methods.SuperviseSubscribe, index === 1 ? late : { status: "OK" }),
        );
        await stream.readable.pipeTo(new WritableStream());
        left.push(index);
      };
      const gateway = scriptedGateway({
        onStream: (stream, { calls, index }) => {
          if (calls.length < 2) return false;
          void serve(stream, index).catch(() => {});
          return true;
        },
      });
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
        webTransport: gateway.webTransport,
        clock,
      });
      await client.connect();
      const supervision = await client.supervise({ callSid: "call" });
      let ended: unknown = "not";
      supervision.ended.then(() => ended = "left", (error) => ended = error);
      await client.renew();
      await client.renew();
      await settle();
      assert.deepEqual(left, [0]);
      answer.resolve();
      await settle();
      assert.equal(left.includes(2), false);
      assert.equal(ended, "not");
      const closing = client.close();
      await clock.advance(10_000);
      await closing;
    }
  });

  it("F-16 leaves no stream behind, whenever its request is aborted", async () => {
    let aborted = 0;
    for (let turns = 0; turns < 60; turns++) {
      const clock = new FakeClock();
      let open = 0;
      const serve = async ({ readable, writable }: BidirectionalStream): Promise<void> => {
        const reader = readable.getReader();
        const writer = writable.getWriter();
        if ((await reader.read()).done) return;
        open++;
        try {
          await writer.write(encodeReply(methods.SuperviseSubscribe, { status: "OK" }));
          while (!(await reader.read()).done);
        } catch {
          // Reset: over, too.
        }
        open--;
      };
      const gateway = scriptedGateway({
        onStream: (stream, { calls }) => {
          if (calls.length < 2) return false;
          void serve(stream).catch(() => {});
          return true;
        },
      });
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
        webTransport: gateway.webTransport,
        clock,
      });
      await client.connect();
      const controller = new AbortController();
      const joining = client.supervise({ callSid: "call" }, { signal: controller.signal })
        .then(() => true, () => false);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      controller.abort();
      if (!await joining) {
        aborted++;
        await settle();
        assert.equal(open, 0, `aborted after ${turns} turns`);
      }
      const closing = client.close();
      await clock.advance(10_000);
      await closing;
    }
    assert.ok(aborted > 0 && aborted < 60);
  });

  it("throws TypeError for what is not an object, as allocateWt() does", async () => {
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true);
    for (const wrong of [undefined, null, "call"]) {
      const options = wrong as unknown as Parameters<typeof client.supervise>[0];
      await assert.rejects(client.supervise(options), {
        name: "TypeError",
        message: "Cannot supervise call: expected an object with `callSid`",
      });
      await assert.rejects(client.allocateWt(options), {
        name: "TypeError",
        message: "Cannot allocate media session: expected an object with `callSid`",
      });
    }
    await client.close();
  });

  it("refuses modes that do not exist, and a call whose audio this client has", async () => {
    await using story = await clientSetup();
    const call = await answered(story);
    const { client } = story;
    await assert.rejects(
      client.supervise({ callSid: call.sid, mode: 9 }),
      hasCode("ERR_VALUE_INVALID"),
    );
    await assert.rejects(
      client.supervise({ callSid: call.sid, mode: "1" as unknown as number }),
      {
        name: "TypeError",
        message: "Cannot supervise call: `mode` is a string, expected a number",
      },
    );
    call.audio();
    await assert.rejects(client.supervise({ callSid: call.sid }), hasCode("ERR_VALUE_INVALID"));
    await call.hangUp();
  });
});
