import { messageOf } from "../../base/text/message.ts";
import { applicationCode, streamErrorCode, TransportFault } from "../fault.ts";
import { sessionCode } from "../http3/codes.ts";
import { type QuicheState, shutdown } from "./binding.ts";

/** Which half of a stream. */
export type Half = "receiving" | "sending";

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly state: QuicheState;
  /** Sends what is due at the end of this turn. */
  flush(): void;
  /** The half is over: nothing of it is reported any more. */
  forget(id: number, half: Half): void;
}

// What a reader without a buffer of its own gets at most.
const CHUNK_BYTES = 16_384;
const NOTHING = new Uint8Array(0);

/** The receiving half of a stream: a byte stream, read into its reader's buffer. */
export class Receiving {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #id: number;
  readonly #host: StreamHost;
  #controller!: ReadableByteStreamController;
  #onReady: (() => void) | undefined;
  #isOver = false;

  constructor(id: number, host: StreamHost) {
    this.#id = id;
    this.#host = host;
    const source: UnderlyingByteSource = {
      type: "bytes",
      autoAllocateChunkSize: CHUNK_BYTES,
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#pull(),
      cancel: (reason) => this.#cancel(reason),
    };
    this.readable = new ReadableStream(source, { highWaterMark: 0 });
  }

  /** There may be something to read. */
  retry(): void {
    if (this.#onReady === undefined || !this.#read()) return;
    this.#onReady();
    this.#onReady = undefined;
  }

  /** The connection is over. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller.error(error);
    this.#onReady?.();
  }

  #pull(): Promise<void> | void {
    if (this.#isOver || this.#read()) return;
    return new Promise((resolve) => this.#onReady = resolve);
  }

  /** Reads once. Returns whether something came: bytes, the end, or a reset. */
  #read(): boolean {
    const request = this.#controller.byobRequest;
    if (request === null || request.view === null) return false;
    const view = request.view as Uint8Array;
    let result: [length: number, isEnd: boolean] | null;
    try {
      result = this.#host.state.streamRecv(this.#id, view);
    } catch (error) {
      this.#finish();
      this.#controller.error(streamFault(error, "stream reset by peer"));
      return true;
    }
    if (result === null) return false;
    const [length, isEnd] = result;
    if (length === 0 && !isEnd) return false;
    if (isEnd) {
      this.#finish();
      if (length > 0) request.respond(length);
      this.#controller.close();
      if (length === 0) request.respond(0);
    } else request.respond(length);
    // Credit for what was read.
    this.#host.flush();
    return true;
  }

  #cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    shut(this.#host, this.#id, shutdown.read, reason);
    this.#onReady?.();
  }

  #finish(): void {
    this.#isOver = true;
    this.#host.forget(this.#id, "receiving");
  }
}

/** The sending half of a stream. A write settles when quiche has taken all of it. */
export class Sending {
  readonly writable: WritableStream<Uint8Array>;
  readonly #id: number;
  readonly #host: StreamHost;
  #controller!: WritableStreamDefaultController;
  #onReady: (() => void) | undefined;
  #fault: Error | undefined;
  #isOver = false;

  constructor(id: number, host: StreamHost) {
    this.#id = id;
    this.#host = host;
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        // `abort` below is not called before a write that is under way has settled, and a blocked one never does.
        controller.signal.addEventListener("abort", () => this.#abort(controller.signal.reason));
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason) => this.#abort(reason),
    });
  }

  /** There may be room again. */
  retry(): void {
    this.#onReady?.();
    this.#onReady = undefined;
  }

  /** The connection is over. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fault = error;
    this.#controller.error(error);
    this.retry();
  }

  #write(chunk: Uint8Array): Promise<void> | void {
    const rest = this.#take(chunk);
    if (rest.length > 0) return this.#writeRest(rest);
  }

  async #writeRest(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; rest = this.#take(rest)) {
      await new Promise<void>((resolve) => this.#onReady = resolve);
    }
  }

  /** Hands bytes to quiche; returns those that it has no room for. */
  #take(chunk: Uint8Array): Uint8Array {
    if (this.#isOver) throw this.#fault ?? new TransportFault("the stream is over");
    let taken: number | null;
    try {
      taken = this.#host.state.streamSend(this.#id, chunk, false);
    } catch (error) {
      throw this.#stopped(error);
    }
    this.#host.flush();
    return chunk.subarray(taken ?? 0);
  }

  #close(): void {
    if (this.#isOver) throw this.#fault ?? new TransportFault("the stream is over");
    try {
      this.#host.state.streamSend(this.#id, NOTHING, true);
    } catch (error) {
      throw this.#stopped(error);
    }
    this.#finish();
    this.#host.flush();
  }

  #abort(reason: unknown): void {
    if (this.#isOver) return;
    this.#fault = new TransportFault("the stream was given up");
    this.#finish();
    shut(this.#host, this.#id, shutdown.write, reason);
    this.retry();
  }

  /** The peer reads no more: quiche wants the half given up. */
  #stopped(error: unknown): TransportFault {
    const fault = streamFault(error, "sending stopped by peer");
    this.#fault = fault;
    this.#finish();
    shut(this.#host, this.#id, shutdown.write, fault);
    return fault;
  }

  #finish(): void {
    this.#isOver = true;
    this.#host.forget(this.#id, "sending");
  }
}

function shut(host: StreamHost, id: number, direction: 0 | 1, reason: unknown): void {
  try {
    host.state.streamShutdown(id, direction, sessionCode(streamErrorCode(reason) ?? 0));
  } catch {
    // It is over already.
  }
  host.flush();
}

/** quiche's errors are texts: "StreamReset(7)", "StreamStopped(7)". */
function streamFault(error: unknown, what: string): TransportFault {
  const text = messageOf(error);
  const code = /Stream(?:Reset|Stopped)\((\d+)\)/.exec(text)?.[1];
  if (code === undefined) return new TransportFault(text, 0);
  return new TransportFault(`${what}: error ${code}`, applicationCode(Number(code)));
}
