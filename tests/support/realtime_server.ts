import { encodePcmu, toneSamples } from "../../src/audio/mod.ts";
import { encodeBase64 } from "../../src/base/base64.ts";
import type { HeardCall } from "../../src/testing/mod.ts";

/** A message of the Realtime API. */
export interface Message {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A realtime server on 127.0.0.1 for one connection. */
export class RealtimeServer {
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

/** A tone as PCMU. */
export function pcmuTone(milliseconds: number): Uint8Array {
  return encodePcmu(toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds }));
}

/** How much a phone has played when the last packet arrives, in milliseconds: each from its arrival on, or after the one before. */
export function playedMs({ audio }: HeardCall): number {
  if (audio.length === 0) return 0;
  let playedUntil = 0;
  for (const { atMs } of audio) playedUntil = Math.max(playedUntil, atMs) + 20;
  return audio.length * 20 - (playedUntil - audio.at(-1)!.atMs);
}
