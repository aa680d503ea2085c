import type { Clock } from "../../src/base/signal.ts";
import {
  type BidirectionalStream,
  createPairTransport,
  type SessionPair,
  type WebTransportConstructor,
  type WebTransportLike,
} from "../../src/transport/mod.ts";
import type { IncomingSession } from "../../src/transport/mod.ts";
import type { Random } from "../../src/base/random.ts";

/** Which way a chunk goes: from the client to the gateway, or back. */
export type Way = "up" | "down";

/** Options of {@linkcode Weather}. */
export interface WeatherOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The gateway's side of every session. */
  readonly accept: (incoming: IncomingSession) => void;
  /** Told of every chunk that the client writes on a one-way stream, in the order of its writes. */
  readonly onAudio: (chunk: Uint8Array, stream: object) => void;
}

// After so long without a sign of life a QUIC connection is given up.
const IDLE_TIMEOUT_MS = 10_000;

/** The network between a client and a gateway in one process: every fault of it is ordered by a test, and happens on its clock. */
export class Weather {
  /** How the client dials. */
  readonly webTransport: WebTransportConstructor;
  /** Milliseconds that a chunk takes, each way; each a little different, so that streams overtake each other. */
  delayMs = 0;
  /** Bytes that pass in a second, each way, all streams together. */
  bytesPerSecond = Infinity;
  /** Whether new sessions are refused, or hang. */
  connects: "open" | "refused" | "hanging" = "open";
  /** The next chunk in this direction is cut in two, and its stream is reset after the first part. */
  cut: Way | undefined;
  /** Whether new sessions cut what is read into pieces of a few bytes, and let little be on its way. */
  isNarrow = false;
  readonly #options: WeatherOptions;
  readonly #pairs = new Set<SessionPair>();
  readonly #freeAt = { up: 0, down: 0 };
  #black: Way | "both" | undefined;
  #heal: () => void = () => {};
  #healed: Promise<void> = Promise.resolve();

  constructor(options: WeatherOptions) {
    this.#options = options;
    const dial = (narrow: boolean): WebTransportConstructor =>
      createPairTransport((incoming, pair) => {
        this.#pairs.add(pair);
        const forget = (): boolean => this.#pairs.delete(pair);
        pair.server.closed.then(forget, forget);
        options.accept(incoming);
      }, narrow ? { chunkBytes: 7, highWaterMark: 300 } : {});
    const [wide, narrow] = [dial(false), dial(true)];
    const open = (url: string): WebTransportLike => {
      if (this.connects === "refused") throw new Error("Connection refused");
      const inner = new (this.isNarrow ? narrow : wide)(url);
      return this.connects === "hanging" ? new HangingSession(inner) : this.#over(inner);
    };
    function Dialled(url: string): WebTransportLike {
      return open(url);
    }
    this.webTransport = Dialled as unknown as WebTransportConstructor;
  }

  /** Loses every connection at once. */
  sever(): void {
    for (const pair of this.#pairs) pair.sever();
  }

  /** Nothing passes any more, one way or both, and nobody is told; what lasts too long ends the connections. */
  blackOut(way: Way | "both"): void {
    this.heal();
    this.#black = way;
    this.#healed = new Promise((resolve) => this.#heal = resolve);
    const healed = this.#healed;
    const before = [...this.#pairs];
    this.#options.clock.schedule(IDLE_TIMEOUT_MS, () => {
      if (this.#black === undefined || this.#healed !== healed) return;
      for (const pair of before) pair.sever();
    });
  }

  /** Everything passes again. */
  heal(): void {
    this.#black = undefined;
    this.#heal();
  }

  /** Settles when a chunk has arrived; rejects when the connection is lost on the way. */
  async #travel(way: Way, lost: Promise<never>, bytes: number): Promise<void> {
    const { clock, random } = this.#options;
    const now = clock.monotonic();
    this.#freeAt[way] = Math.max(now, this.#freeAt[way]) + bytes * 1_000 / this.bytesPerSecond;
    const ms = this.#freeAt[way] - now + (this.delayMs > 0 ? this.delayMs * (0.5 + random()) : 0);
    if (ms > 0) {
      await Promise.race([new Promise<void>((resolve) => clock.schedule(ms, resolve)), lost]);
    }
    while (this.#black === "both" || this.#black === way) {
      await Promise.race([this.#healed, lost]);
    }
  }

  #takesCut(way: Way): boolean {
    if (this.cut !== way) return false;
    this.cut = undefined;
    return true;
  }

  #over(inner: WebTransportLike): WebTransportLike {
    const lost = inner.closed.then(() => {
      throw new Error("Connection lost");
    });
    lost.catch(() => {});
    const down = (stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
      this.#down(stream, lost);
    const up = (stream: WritableStream<Uint8Array>, isAudio: boolean) =>
      this.#up(stream, lost, isAudio);
    return {
      ready: inner.ready,
      closed: inner.closed,
      keepsAlive: true,
      incomingBidirectionalStreams: inner.incomingBidirectionalStreams,
      incomingUnidirectionalStreams: inner.incomingUnidirectionalStreams.pipeThrough(
        new TransformStream<ReadableStream<Uint8Array>, ReadableStream<Uint8Array>>({
          transform: (stream, controller) => controller.enqueue(down(stream)),
        }),
      ),
      async createBidirectionalStream(): Promise<BidirectionalStream> {
        const { readable, writable } = await inner.createBidirectionalStream();
        return { readable: down(readable), writable: up(writable, false) };
      },
      async createUnidirectionalStream() {
        return up(await inner.createUnidirectionalStream(), true);
      },
      close: (info) => inner.close(info),
    };
  }

  #up(
    stream: WritableStream<Uint8Array>,
    lost: Promise<never>,
    isAudio: boolean,
  ): WritableStream<Uint8Array> {
    const writer = stream.getWriter();
    writer.closed.catch(() => {});
    return new WritableStream({
      start: (controller) => void writer.closed.catch((error) => controller.error(error)),
      write: async (chunk) => {
        if (isAudio) this.#options.onAudio(chunk, stream);
        const copy = chunk.slice();
        await this.#travel("up", lost, copy.length);
        if (!this.#takesCut("up")) return await writer.write(copy);
        await writer.write(copy.subarray(0, copy.length >> 1));
        await writer.abort(new Error("cut")).catch(() => {});
        throw new Error("The stream was reset by peer: error 0");
      },
      close: async () => {
        await this.#travel("up", lost, 0);
        await writer.close();
      },
      abort: (reason) => writer.abort(reason),
    });
  }

  #down(stream: ReadableStream<Uint8Array>, lost: Promise<never>): ReadableStream<Uint8Array> {
    const reader = stream.getReader();
    return new ReadableStream({
      pull: async (controller) => {
        const { value, done } = await reader.read();
        await this.#travel("down", lost, value?.length ?? 0);
        if (done) return controller.close();
        if (!this.#takesCut("down")) return controller.enqueue(value);
        controller.enqueue(value.subarray(0, value.length >> 1));
        reader.cancel().catch(() => {});
        controller.error(new Error("The stream was reset by peer: error 0"));
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 });
  }
}

/** A session that never becomes ready. */
class HangingSession implements WebTransportLike {
  readonly ready = new Promise<never>(() => {});
  readonly closed: Promise<unknown>;
  readonly incomingBidirectionalStreams: WebTransportLike["incomingBidirectionalStreams"];
  readonly incomingUnidirectionalStreams: WebTransportLike["incomingUnidirectionalStreams"];
  readonly createBidirectionalStream: WebTransportLike["createBidirectionalStream"];
  readonly createUnidirectionalStream: WebTransportLike["createUnidirectionalStream"];
  readonly close: WebTransportLike["close"];

  constructor(inner: WebTransportLike) {
    this.closed = inner.closed;
    this.incomingBidirectionalStreams = inner.incomingBidirectionalStreams;
    this.incomingUnidirectionalStreams = inner.incomingUnidirectionalStreams;
    this.createBidirectionalStream = () => new Promise(() => {});
    this.createUnidirectionalStream = () => new Promise(() => {});
    this.close = (info) => inner.close(info);
  }
}
