import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../../mod.ts";
import { encodePcmu, pcm16Bytes, toneSamples } from "../../src/audio/mod.ts";
import { decodeBase64, encodeBase64 } from "../../src/base/base64.ts";
import { withTeleQuick } from "../../src/openai/mod.ts";
import { testGateway, type TestKit } from "../../src/testing/mod.ts";
import { loadAgentsRealtime, type RealtimeSession } from "../support/agents_realtime.ts";

// The real package against a realtime server of our own, which says what the test lets it say.

const { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } = await loadAgentsRealtime();

interface Message {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A realtime server on 127.0.0.1 for one connection. */
class RealtimeServer {
  readonly received: Message[] = [];
  readonly url: string;
  readonly #server: Deno.HttpServer;
  #socket: WebSocket | undefined;
  #waiting: (() => void)[] = [];

  constructor() {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      this.#socket = socket;
      socket.onopen = () => this.send({ type: "session.created", session: { id: "s" } });
      socket.onmessage = ({ data }) => {
        this.received.push(JSON.parse(data));
        this.#wake();
      };
      socket.onclose = () => this.#wake();
      return response;
    });
    this.#server = server;
    this.url = `ws://127.0.0.1:${server.addr.port}/v1/realtime`;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(message: Message): void {
    this.#socket!.send(JSON.stringify({ event_id: crypto.randomUUID(), ...message }));
  }

  /** Says something as one item of one answer, all at once, as models do. */
  say(audio: Uint8Array, { response = "r1", item = "i1", isDone = true } = {}): void {
    this.send({ type: "response.created", response: { id: response } });
    const ids = { response_id: response, item_id: item, output_index: 0, content_index: 0 };
    for (let at = 0; at < audio.length; at += 4_000) {
      const delta = encodeBase64(audio.subarray(at, at + 4_000));
      this.send({ type: "response.output_audio.delta", ...ids, delta });
    }
    if (isDone) this.send({ type: "response.output_audio.done", ...ids });
  }

  close(): void {
    this.#socket?.close();
  }

  /** Resolves with the messages of a type, once there are some; or when the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  of(type: string): Message[] {
    return this.received.filter((message) => message.type === type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#server.shutdown();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

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

function pcmuTone(milliseconds: number): Uint8Array {
  return encodePcmu(toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds }));
}

/** How much a phone has played when the last packet arrives: each from its arrival on, or after the one before. */
function playedAtFarEnd(kit: TestKit<"real">, call: Call): number {
  const { audio } = kit.hears(call);
  let playedUntil = 0;
  for (const { atMs } of audio) playedUntil = Math.max(playedUntil, atMs) + 20;
  return audio.length * 20 - (playedUntil - audio.at(-1)!.atMs);
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
    const heardMs = playedAtFarEnd(kit, call);
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

  it("closes the connection to the model when the call ends", async () => {
    const scene = await connected({ to: "+15550105" });
    await scene.call.ended;
    await scene.server.until(() => !scene.server.isOpen);
    assert.equal(scene.session.transport.status, "disconnected");
    await scene.close();
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
