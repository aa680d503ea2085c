import { TeleQuickError } from "../base/errors.ts";
import { ignore } from "../base/ignore.ts";
import {
  bounded,
  type Cancellation,
  Canceller,
  type Clock,
  sleep,
  systemClock,
} from "../base/signal.ts";
import { faultText, fromTransport, isStreamLimit, sessionClosed } from "./fault.ts";
import { WebRequestStream } from "./request_stream.ts";
import { streamsUntil, takeAll, takeUntil } from "./incoming.ts";
import type { BidirectionalStream, CloseInfo, RequestStream, WebTransportLike } from "./types.ts";

/** How a session ended. A hint for people: no code survives all pairs of implementations. */
export interface SessionClosed {
  /** The application code, where one came across. */
  readonly code?: number;
  /** The peer's words, or the implementation's; may be empty. */
  readonly reason: string;
  /** What the implementation rejected with, when it did. */
  readonly error?: unknown;
}

/** Options of opening a stream. */
export interface OpenStreamOptions {
  /** An `AbortSignal`, or as much of one. Ends the wait: it rejects with the signal's reason. */
  readonly signal?: {
    readonly aborted: boolean;
    readonly reason: unknown;
    addEventListener(type: "abort", listener: () => void): void;
    removeEventListener(type: "abort", listener: () => void): void;
  } | undefined;
  /** How long to wait for stream credit, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Where time comes from. Default: the session's clock. */
  readonly clock?: Clock;
}

const OPEN_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 10;
const LONGEST_RETRY_MS = 160;

/** Closes a session that is no longer awaited; one that becomes ready only later is closed then. */
export function abandon(transport: WebTransportLike): void {
  const close = (): void => {
    try {
      transport.close();
    } catch {
      // Not connected yet: `ready` decides.
    }
  };
  close();
  transport.ready.then(close, ignore);
}

/**
 * An established session over any implementation of the W3C shape, for both sides: the same streams, deadlines and endings everywhere.
 * Its owner closes it; what was written and not yet acknowledged is lost then.
 */
export class Session {
  /** Resolves when the session is over, for any reason; never rejects. */
  readonly closed: Promise<SessionClosed>;
  readonly #transport: WebTransportLike;
  readonly #clock: Clock;
  readonly #over = new Canceller();
  readonly #resolveClosed: (info: SessionClosed) => void;
  #draining: Promise<void> | undefined;
  #end: SessionClosed | undefined;
  #incomingBidirectional: ReadableStream<BidirectionalStream> | undefined;
  #incomingUnidirectional: ReadableStream<ReadableStream<Uint8Array>> | undefined;

  /**
   * Wraps a session that is established, or becomes so: opening streams waits for it.
   *
   * @param transport The implementation's session. It belongs to this object from now on.
   * @param options `clock`: where time comes from; default: the machine's clock.
   */
  constructor(transport: WebTransportLike, options: { readonly clock?: Clock } = {}) {
    this.#transport = transport;
    this.#clock = options.clock ?? systemClock;
    let resolveClosed!: (info: SessionClosed) => void;
    this.closed = new Promise((resolve) => resolveClosed = resolve);
    this.#resolveClosed = resolveClosed;
    transport.ready.then(undefined, (error) => this.#finish({ reason: faultText(error), error }));
    transport.closed.then(
      (info) => this.#finish(readCloseInfo(info)),
      (error) => this.#finish({ reason: faultText(error), error }),
    );
  }

  /** Whether the session is over. */
  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  /**
   * How many more bidirectional streams this side can open, on an implementation that never returns stream credit;
   * `undefined` where there is no such limit.
   */
  get streamsLeft(): number | undefined {
    return this.#transport.streamsLeft;
  }

  /** Whether the implementation keeps an idle session alive by itself; where not, see {@linkcode Session.ping}. */
  get keepsAlive(): boolean {
    return this.#transport.keepsAlive ?? false;
  }

  /** Resolves when the peer asks for an orderly end, on implementations that show it (W3C `draining`); otherwise never. */
  get draining(): Promise<void> {
    return this.#draining ??= new Promise((resolve) => {
      // Rejects with the session on some implementations: then nothing was asked.
      this.#transport.draining?.then(() => resolve(), ignore);
    });
  }

  /** Asks the peer for an orderly end, on implementations that can; the session goes on. */
  drain(): void {
    if (!this.isClosed) this.#transport.drain?.();
  }

  /** Why the gateway refused the token, where both sides are one program's. */
  get refusalReason(): string | undefined {
    return this.#transport.refusalReason;
  }

  /** Bidirectional streams that the peer opens. Ends with the session; never fails. */
  get incomingBidirectional(): ReadableStream<BidirectionalStream> {
    return this.#incomingBidirectional ??= streamsUntil(
      this.#over,
      this.#transport.incomingBidirectionalStreams,
    );
  }

  /** One-way streams that the peer opens. Ends with the session; never fails. */
  get incomingUnidirectional(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#incomingUnidirectional ??= streamsUntil(
      this.#over,
      this.#transport.incomingUnidirectionalStreams,
    );
  }

  /**
   * Calls `take` with every bidirectional stream that the peer opens, until the session is over. The next one is asked for when `take` has returned, and
   * what it returned has resolved. In place of {@linkcode Session.incomingBidirectional}.
   */
  acceptBidirectional(take: (stream: BidirectionalStream) => void | Promise<void>): void {
    const transport = this.#transport;
    const taken = takeUntil(this.#over, take);
    if (transport.takeBidirectional !== undefined) return transport.takeBidirectional(taken);
    takeAll(transport.incomingBidirectionalStreams, taken);
  }

  /** The same for one-way streams, in place of {@linkcode Session.incomingUnidirectional}. */
  acceptUnidirectional(take: (stream: ReadableStream<Uint8Array>) => void | Promise<void>): void {
    const transport = this.#transport;
    const taken = takeUntil(this.#over, take);
    if (transport.takeUnidirectional !== undefined) return transport.takeUnidirectional(taken);
    takeAll(transport.incomingUnidirectionalStreams, taken);
  }

  /**
   * Opens a bidirectional stream. Waits for stream credit on every implementation, also on those that fail at once without it.
   *
   * @param options A signal and the longest wait.
   * @throws {TeleQuickError} `ERR_LIMIT` (retryable) when no credit came in time, `ERR_SESSION_CLOSED` (retryable) when the session is or gets over.
   */
  openBidirectional(options: OpenStreamOptions = {}): Promise<BidirectionalStream> {
    return this.#open(
      () => this.#transport.createBidirectionalStream(),
      discardBidirectional,
      options,
    );
  }

  /** Opens a bidirectional stream for one request, in the same way as {@linkcode Session.openBidirectional}. */
  openRequest(options: OpenStreamOptions = {}): Promise<RequestStream> {
    return this.#open(() => this.#createRequest(), (stream) => stream.abort(), options);
  }

  /** Opens a one-way stream, in the same way as {@linkcode Session.openBidirectional}. */
  openUnidirectional(options: OpenStreamOptions = {}): Promise<WritableStream<Uint8Array>> {
    return this.#open(() => this.#transport.createUnidirectionalStream(), discardWritable, options);
  }

  /**
   * Sends a datagram of one byte, which keeps the session alive and is ignored by the peer.
   *
   * @returns `false` where there are no datagrams or it could not be sent: send something else then.
   */
  async ping(): Promise<boolean> {
    const writable = this.#transport.datagrams?.writable;
    if (writable === undefined || writable.locked || this.isClosed) return false;
    const writer = writable.getWriter();
    try {
      await writer.write(new Uint8Array(1));
      return true;
    } catch {
      return false;
    } finally {
      writer.releaseLock();
    }
  }

  /** Ends the session at once; `info` reaches the peer where the implementations let it. Does nothing when it is over already. */
  close(info: CloseInfo = {}): void {
    if (this.isClosed) return;
    try {
      this.#transport.close(info);
    } catch {
      abandon(this.#transport);
    }
    this.#finish({ code: info.closeCode ?? 0, reason: info.reason ?? "" });
  }

  /** Ends the session, as `close()` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  async #createRequest(): Promise<RequestStream> {
    const transport = this.#transport;
    if (transport.createRequestStream !== undefined) return await transport.createRequestStream();
    return new WebRequestStream(await transport.createBidirectionalStream());
  }

  #open<T>(
    create: () => Promise<T>,
    discard: (stream: T) => void,
    options: OpenStreamOptions,
  ): Promise<T> {
    const { signal, timeoutMs = OPEN_TIMEOUT_MS, clock = this.#clock } = options;
    return bounded(
      (over) => this.#createWithCredit(create, discard, over, clock),
      {
        signal,
        lost: this.#over,
        timeoutMs,
        clock,
        onTimeout: () =>
          new TeleQuickError(
            "ERR_LIMIT",
            `Cannot open a stream: the stream limit is reached, and none was freed within ${timeoutMs} ms`,
            { retryable: true },
          ),
      },
    );
  }

  async #createWithCredit<T>(
    create: () => Promise<T>,
    discard: (stream: T) => void,
    over: Cancellation,
    clock: Clock,
  ): Promise<T> {
    for (let wait = FIRST_RETRY_MS;; wait = Math.min(2 * wait, LONGEST_RETRY_MS)) {
      if (this.#end !== undefined) throw this.#closedError();
      try {
        const stream = await create();
        // Too late: it is no longer awaited, and it must not stay open.
        if (over.aborted || this.isClosed) discard(stream);
        // So it is when the wait is given up in the turns until it is handed over; then `over` is done with.
        else over.addEventListener("abort", () => discard(stream));
        return stream;
      } catch (error) {
        if (!isStreamLimit(error)) throw fromTransport(error, { action: "open a stream" });
        if (this.streamsLeft !== undefined) throw noStreamsLeft(error);
      }
      await sleep(wait, { signal: over, clock });
    }
  }

  #closedError(): TeleQuickError {
    return sessionClosed("open a stream", this.#end?.reason ?? "");
  }

  #finish(info: SessionClosed): void {
    if (this.#end !== undefined) return;
    this.#end = info;
    this.#resolveClosed(info);
    this.#over.abort(this.#closedError());
  }
}

function noStreamsLeft(cause: unknown): TeleQuickError {
  return new TeleQuickError(
    "ERR_LIMIT",
    "Cannot open a stream: this runtime does not return stream credit and none is left, expected a fresh session",
    { retryable: true, cause },
  );
}

function readCloseInfo(info: unknown): SessionClosed {
  if (typeof info !== "object" || info === null) return { reason: "" };
  const { closeCode, reason } = info as { closeCode?: unknown; reason?: unknown };
  const text = typeof reason === "string" ? reason : "";
  return typeof closeCode === "number" ? { code: closeCode, reason: text } : { reason: text };
}

function discardWritable(stream: WritableStream<Uint8Array>): void {
  stream.abort().catch(ignore);
}

function discardBidirectional(stream: BidirectionalStream): void {
  discardWritable(stream.writable);
  stream.readable.cancel().catch(ignore);
}
