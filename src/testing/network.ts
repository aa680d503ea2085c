/**
 * The network between a client and a gateway in memory: delay, loss, order, and every way to lose a connection.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import type { Random } from "../base/random.ts";
import type { Clock } from "../base/signal.ts";
import {
  type BidirectionalStream,
  createPairTransport,
  type IncomingSession,
  type SessionPair,
  type WebTransportConstructor,
  type WebTransportLike,
} from "../transport/mod.ts";
import { delayedReadable, delayedWritable, type Route } from "./link.ts";

/** Which way a chunk goes: from the client to the gateway, or back. */
export type Way = "up" | "down";

/** What the network does to what passes. */
export interface NetworkConditions {
  /** How long everything takes one way, in milliseconds. Default: 0. */
  readonly delayMs?: number;
  /** How much longer it takes at the most, chosen anew for each chunk, in milliseconds. Default: 0. */
  readonly jitterMs?: number;
  /**
   * How many chunks of a hundred are lost and sent again. Streams are reliable: a lost chunk arrives after the sender's probe timeout
   * (RFC 9002 section 6.2), and holds up what follows on its own stream. Default: 0.
   */
  readonly lossPercent?: number;
  /** Whether chunks of different streams may overtake each other; within a stream none does. Default: `false`. */
  readonly reorder?: boolean;
  /** Bytes that pass in a second each way, all streams together. Default: no limit. */
  readonly bytesPerSecond?: number;
}

/** Options of a {@linkcode Network}. */
export interface NetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Takes the gateway's side of every session, and the session itself. */
  readonly accept: (incoming: IncomingSession, session: NetworkSession) => void;
  /** Takes a copy of every chunk that the client writes on a one-way stream, in the order of its writes. */
  readonly onAudio?: (chunk: Uint8Array, stream: object) => void;
}

// After so long without a packet a QUIC connection is given up.
const IDLE_TIMEOUT_MS = 10_000;
// RFC 9002: the timer's granularity and the longest delay of an acknowledgement.
const GRANULARITY_MS = 1;
const MAX_ACK_DELAY_MS = 25;
const LONGEST_BACK_OFF = 6;

/** A network in one process, on one clock: the same seed and the same calls give the same run. */
export class Network {
  /** How a client dials. */
  readonly webTransport: WebTransportConstructor;
  /** What is done to what passes. */
  conditions: NetworkConditions = {};
  /** Whether new sessions are refused, or never become ready. */
  connects: "open" | "refused" | "hanging" = "open";
  /** The next chunk in this direction is cut in two, and its stream is reset after the first part. */
  cut: Way | undefined;
  /** Whether new sessions cut what is read into pieces of a few bytes, and let little be on its way. */
  isNarrow = false;
  readonly #options: NetworkOptions;
  readonly #sessions = new Set<NetworkSession>();
  readonly #freeAt = { up: 0, down: 0 };
  readonly #lastAt = { up: 0, down: 0 };
  #black: { readonly way: Way | "both"; readonly cancel: () => void } | undefined;

  constructor(options: NetworkOptions) {
    this.#options = options;
    const dial = (pair: { chunkBytes?: number; highWaterMark?: number }) => {
      let latest!: NetworkSession;
      const linked = createPairTransport((incoming, pair) => {
        const session = new NetworkSession(this, pair, options);
        latest = session;
        this.#sessions.add(session);
        const forget = (): boolean => this.#sessions.delete(session);
        pair.server.closed.then(forget, forget);
        options.accept(incoming, session);
      }, pair);
      return (url: string): NetworkSession => {
        void new linked(url);
        return latest;
      };
    };
    const [wide, narrow] = [dial({}), dial({ chunkBytes: 7, highWaterMark: 300 })];
    const open = (url: string): WebTransportLike => {
      if (this.connects === "refused") throw new Error("Connection refused");
      const session = (this.isNarrow ? narrow : wide)(url);
      return this.connects === "hanging"
        ? new HangingSession(session.transport)
        : session.transport;
    };
    function Dialled(url: string): WebTransportLike {
      return open(url);
    }
    this.webTransport = Dialled as unknown as WebTransportConstructor;
  }

  /** The sessions that are connected, the oldest first. */
  get sessions(): readonly NetworkSession[] {
    return [...this.#sessions];
  }

  /** Loses every connection at once. */
  sever(): void {
    for (const session of this.#sessions) session.drop();
  }

  /** Nothing passes any more, one way or both, and neither side notices; after 10 s the connections are lost. */
  blackOut(way: Way | "both"): void {
    this.heal();
    const before = [...this.#sessions];
    const cancel = this.#options.clock.schedule(IDLE_TIMEOUT_MS, () => {
      for (const session of before) session.drop();
    });
    this.#black = { way, cancel };
  }

  /** Everything passes again. */
  heal(): void {
    this.#black?.cancel();
    this.#black = undefined;
    for (const session of this.#sessions) session.wake();
  }

  /** Whether nothing passes this way. */
  isBlack(way: Way): boolean {
    return this.#black?.way === "both" || this.#black?.way === way;
  }

  /** How long a chunk that is sent now takes until it has left, and until it has arrived, in milliseconds. */
  times(way: Way, bytes: number): { readonly leavesMs: number; readonly arrivesMs: number } {
    const { clock, random } = this.#options;
    const { delayMs = 0, jitterMs = 0, lossPercent = 0, reorder = false } = this.conditions;
    const { bytesPerSecond = Infinity } = this.conditions;
    const now = clock.monotonic();
    this.#freeAt[way] = Math.max(now, this.#freeAt[way]) + bytes * 1_000 / bytesPerSecond;
    const leavesMs = this.#freeAt[way] - now;
    let ms = leavesMs + delayMs + (jitterMs > 0 ? jitterMs * random() : 0);
    const probeMs = 2 * delayMs + Math.max(4 * jitterMs, GRANULARITY_MS) + MAX_ACK_DELAY_MS;
    for (let lost = 0; lost < LONGEST_BACK_OFF && lossPercent > 0; lost++) {
      if (random() * 100 >= lossPercent) break;
      ms += probeMs * 2 ** lost;
    }
    if (!reorder) {
      this.#lastAt[way] = Math.max(this.#lastAt[way], now + ms);
      ms = this.#lastAt[way] - now;
    }
    return { leavesMs, arrivesMs: ms };
  }

  /** Whether the chunk that arrives now is the one to be cut. */
  takesCut(way: Way): boolean {
    if (this.cut !== way) return false;
    this.cut = undefined;
    return true;
  }
}

/** One session on a {@linkcode Network}. */
export class NetworkSession implements Route {
  /** The client's side. */
  readonly transport: WebTransportLike;
  /** Why the gateway refused the session's token, in its own words. */
  refusalReason: string | undefined;
  readonly #network: Network;
  readonly #pair: SessionPair;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #isStalled = false;
  #isLost = false;

  constructor(network: Network, pair: SessionPair, options: NetworkOptions) {
    this.#network = network;
    this.#pair = pair;
    this.#clock = options.clock;
    const onLost = (): void => {
      this.#isLost = true;
      this.wake();
    };
    pair.client.closed.then(onLost, onLost);
    this.transport = this.#over(pair.client, options.onAudio);
  }

  /** Whether it has not ended. */
  get isOpen(): boolean {
    return !this.#isLost;
  }

  /** Loses the connection: both sides notice at once, without a code. */
  drop(): void {
    this.#pair.sever();
  }

  /** Nothing passes for `ms` milliseconds, and neither side notices. From 10 s on the connection is lost. */
  stall(ms: number): void {
    this.#isStalled = true;
    this.#clock.schedule(Math.min(ms, IDLE_TIMEOUT_MS), () => {
      if (ms >= IDLE_TIMEOUT_MS) return this.drop();
      this.#isStalled = false;
      this.wake();
    });
  }

  /** Lets everything that waits look again. */
  wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  send(way: Way, bytes: number): { readonly left: Promise<void>; readonly arrived: Promise<void> } {
    const { leavesMs, arrivesMs } = this.#network.times(way, bytes);
    return { left: this.#after(leavesMs), arrived: this.#arrive(way, arrivesMs) };
  }

  async #arrive(way: Way, ms: number): Promise<void> {
    await this.#after(ms);
    const isHeldUp = (): boolean => this.#isStalled || this.#network.isBlack(way);
    while (!this.#isLost && isHeldUp()) await this.#until();
    if (this.#isLost) throw new Error("Connection lost");
  }

  async #after(ms: number): Promise<void> {
    if (ms > 0) await this.#until((look) => this.#clock.schedule(ms, look));
  }

  takesCut(way: Way): boolean {
    return this.#network.takesCut(way);
  }

  /** Waits for what `arm` arms, if anything, or for the next change of the session. */
  #until(arm?: (look: () => void) => () => void): Promise<void> {
    if (this.#isLost) return Promise.resolve();
    return new Promise((resolve) => {
      let cancel = ignore;
      const look = (): void => {
        // A wait for a time goes on through other changes, but not through the end.
        if (arm !== undefined && !this.#isLost && !isDue) return;
        this.#waiting.delete(look);
        cancel();
        resolve();
      };
      let isDue = false;
      this.#waiting.add(look);
      cancel = arm?.(() => {
        isDue = true;
        look();
      }) ?? ignore;
    });
  }

  #over(inner: WebTransportLike, onAudio: NetworkOptions["onAudio"]): WebTransportLike {
    // deno-lint-ignore no-this-alias
    const session = this;
    const route: Route = session;
    return {
      ready: inner.ready,
      closed: inner.closed,
      keepsAlive: true,
      get refusalReason() {
        return session.refusalReason;
      },
      incomingBidirectionalStreams: inner.incomingBidirectionalStreams,
      incomingUnidirectionalStreams: inner.incomingUnidirectionalStreams.pipeThrough(
        new TransformStream<ReadableStream<Uint8Array>, ReadableStream<Uint8Array>>({
          transform: (stream, controller) => controller.enqueue(delayedReadable(stream, route)),
        }),
      ),
      async createBidirectionalStream(): Promise<BidirectionalStream> {
        const { readable, writable } = await inner.createBidirectionalStream();
        return {
          readable: delayedReadable(readable, route),
          writable: delayedWritable(writable, route),
        };
      },
      async createUnidirectionalStream() {
        const stream = await inner.createUnidirectionalStream();
        return delayedWritable(stream, route, (chunk) => onAudio?.(chunk, stream));
      },
      close: (info) => inner.close(info),
    };
  }
}

/** A session that never becomes ready. */
class HangingSession implements WebTransportLike {
  readonly ready: Promise<never> = new Promise(ignore);
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
    this.createBidirectionalStream = () => new Promise(ignore);
    this.createUnidirectionalStream = () => new Promise(ignore);
    this.close = (info) => inner.close(info);
  }
}
