import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../../mod.ts";
import { pcm16Bytes, toneSamples } from "../../src/audio/mod.ts";
import { decodeBase64 } from "../../src/base/base64.ts";
import { withTeleQuick } from "../../src/openai/mod.ts";
import { testGateway, type TestKit } from "../../src/testing/mod.ts";
import { loadAgentsRealtime, type RealtimeSession } from "../support/agents_realtime.ts";
import { pcmuTone, playedMs, RealtimeServer } from "../support/realtime_server.ts";

// The real package against a realtime server of our own, which says what the test lets it say.

const { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } = await loadAgentsRealtime();

interface Scene {
  readonly kit: TestKit<"real">;
  readonly call: Call;
  readonly server: RealtimeServer;
  readonly session: RealtimeSession;
  close(): Promise<void>;
}

async function connected(
  options: { readonly to?: string; readonly audioFormat?: "pcmu" | "pcm" } = {},
): Promise<Scene> {
  const { to = "+15550100", audioFormat = "pcmu" } = options;
  const kit = await testGateway();
  const server = new RealtimeServer();
  const call = await kit.client.dial({ to, trunkId: kit.trunkId });
  await call.answered();
  const Transport = withTeleQuick(OpenAIRealtimeWebSocket);
  const transport = new Transport({ call, audioFormat, url: server.url });
  const session = new RealtimeSession(new RealtimeAgent({ name: "Test", instructions: "Talk." }), {
    transport,
    tracingDisabled: true,
  });
  await session.connect({ apiKey: "test", url: server.url });
  return {
    ...{ kit, call, server, session },
    async close() {
      session.close();
      await server[Symbol.asyncDispose]();
      await kit.close();
    },
  };
}

describe("withTeleQuick()", () => {
  it("asks the model for PCMU both ways, and sends what the caller says unchanged", async () => {
    const scene = await connected({ to: "+15550106" });
    const { server, kit, call } = scene;
    await server.until(() => server.of("input_audio_buffer.append").length >= 10);
    const { session } = server.of("session.update")[0]! as unknown as {
      session: { audio: Record<"input" | "output", { format: unknown }> };
    };
    assert.deepEqual(session.audio.input.format, { type: "audio/pcmu" });
    assert.deepEqual(session.audio.output.format, { type: "audio/pcmu" });
    const [first] = server.of("input_audio_buffer.append");
    const bytes = decodeBase64(String(first!["audio"]))!;
    assert.equal(bytes.length, 160);
    // A tone, neither silence nor noise: its first zero crossings are 440 Hz apart.
    assert.ok(new Set(bytes).size > 20);
    assert.ok(kit.hears(call) !== undefined);
    await scene.close();
  });

  it("plays what the model says to the far end", async () => {
    const scene = await connected();
    scene.server.say(pcmuTone(400));
    await scene.server.until(() => scene.server.of("input_audio_buffer.append").length >= 20);
    const { samples } = scene.kit.hears(scene.call);
    assert.ok(samples.length >= 3_200, `${samples.length} samples`);
    assert.ok(Math.max(...samples.subarray(800, 2_400)) > 8_000);
    await scene.close();
  });

  it("truncates at what the far end heard when the caller interrupts", async () => {
    const scene = await connected();
    const { server, kit, call, session } = scene;
    server.say(pcmuTone(6_000), { isDone: false });
    // The interruption comes when the far end has heard two seconds.
    await server.until(() => kit.hears(call).samples.length >= 16_000);
    server.send({ type: "input_audio_buffer.speech_started", item_id: "u1", audio_start_ms: 0 });
    await server.until(() => server.of("conversation.item.truncate").length > 0);
    const [truncate] = server.of("conversation.item.truncate");
    assert.equal(truncate!["item_id"], "i1");
    const endMs = Number(truncate!["audio_end_ms"]);
    // What leaves after the clear: nothing but what the transport had already taken.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const heardMs = playedMs(kit.hears(call));
    assert.ok(Math.abs(endMs - heardMs) <= 40, `truncated at ${endMs} ms, heard ${heardMs} ms`);
    const { length } = kit.hears(call).samples;
    // More of the same answer, which was on its way, is dropped.
    server.say(pcmuTone(500), { isDone: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(kit.hears(call).samples.length, length);
    assert.ok(session.transport.status === "connected");
    await scene.close();
  });

  it("does not truncate what was heard to its end", async () => {
    const scene = await connected();
    const { server, kit, call } = scene;
    server.say(pcmuTone(200));
    server.send({ type: "response.done", response: { id: "r1" } });
    await server.until(() => kit.hears(call).samples.length >= 1_600);
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.send({ type: "input_audio_buffer.speech_started", item_id: "u1", audio_start_ms: 0 });
    server.say(pcmuTone(200), { response: "r2", item: "i2" });
    await server.until(() => kit.hears(call).samples.length >= 3_200);
    assert.deepEqual(server.of("conversation.item.truncate"), []);
    await scene.close();
  });

  it("resamples for a model of 24 kHz PCM", async () => {
    const scene = await connected({ audioFormat: "pcm" });
    const { server, kit, call } = scene;
    const tone = toneSamples({ frequencyHz: 440, sampleRate: 24_000, milliseconds: 400 });
    server.say(pcm16Bytes(tone));
    await server.until(() => server.of("input_audio_buffer.append").length >= 15);
    const bytes = decodeBase64(String(server.of("input_audio_buffer.append").at(-1)!["audio"]))!;
    assert.ok(bytes.length >= 900 && bytes.length <= 1_000, `${bytes.length} bytes`);
    await server.until(() => kit.hears(call).samples.length >= 3_200);
    assert.ok(Math.max(...kit.hears(call).samples.subarray(800, 2_400)) > 8_000);
    await scene.close();
  });

  it("says that the call has ended when it ends before the model is connected", async () => {
    const kit = await testGateway();
    // It takes the connection, and does not answer.
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const taken = silent.accept();
    const url = `ws://127.0.0.1:${silent.addr.port}`;
    const call = await kit.client.dial({ to: "+15550100", trunkId: kit.trunkId });
    await call.answered();
    const transport = new (withTeleQuick(OpenAIRealtimeWebSocket))({ call, url });
    const agent = new RealtimeAgent({ name: "Test", instructions: "Talk." });
    const session = new RealtimeSession(agent, { transport, tracingDisabled: true });
    const connecting = assert.rejects(session.connect({ apiKey: "test", url }), {
      code: "ERR_CALL_ENDED",
    });
    const connection = await taken;
    await call.hangUp();
    await connecting;
    connection.close();
    silent.close();
    await kit.close();
  });

  it("closes the connection to the model when the call ends", async () => {
    const scene = await connected({ to: "+15550105" });
    await scene.call.ended;
    await scene.server.until(() => !scene.server.isOpen);
    assert.equal(scene.session.transport.status, "disconnected");
    await scene.close();
  });

  it("ends alone where the package does not take the caller's audio: other calls are heard", async () => {
    class Broken extends OpenAIRealtimeWebSocket {
      override sendAudio(): void {
        throw new Error("not taken");
      }
    }
    await using kit = await testGateway();
    await using server = new RealtimeServer();
    const { client, trunkId } = kit;
    const [call, other] = await Promise.all(
      ["+15550106", "+15550106"].map((to) => client.dial({ to, trunkId })),
    );
    const heard = other!.audio().readable.getReader();
    await call!.answered();
    const transport = new (withTeleQuick(Broken))({ call: call!, url: server.url });
    const agent = new RealtimeAgent({ name: "Test", instructions: "Talk." });
    const session = new RealtimeSession(agent, { transport, tracingDisabled: true });
    await session.connect({ apiKey: "test", url: server.url });
    await call!.ended;
    assert.equal(transport.status, "disconnected");
    for (let frame = 0; frame < 100; frame++) assert.equal((await heard.read()).done, false);
  });

  it("hangs up when the model closes the connection", async () => {
    const scene = await connected();
    scene.server.say(pcmuTone(5_000));
    await scene.server.until(() => scene.kit.hears(scene.call).samples.length > 0);
    scene.server.close();
    const { q850Cause } = await scene.call.ended;
    assert.equal(q850Cause, 16);
    await scene.close();
  });

  it("refuses a wrong option, what is not a call, and a missing class", async () => {
    const kit = await testGateway();
    const call = await kit.client.dial({ to: "+15550100", trunkId: kit.trunkId });
    const Transport = withTeleQuick(OpenAIRealtimeWebSocket);
    assert.throws(
      () => new Transport({ call, audioFormat: "opus" as never }),
      /audioFormat is "opus"/,
    );
    assert.throws(() => new Transport({ call: {} as never }), /call has no audio\(\)/);
    assert.throws(() => withTeleQuick(undefined as never), /the class is undefined/);
    await kit.close();
  });
});
