/**
 * Streams over the halves of the addon's: those of W3C, and one for a request.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { messageOf } from "../../base/text/message.ts";
import { streamErrorCode, TransportFault } from "../fault.ts";
import type { ByteRead } from "../http3/byte_reader.ts";
import type { RequestStream } from "../types.ts";

/** A stream's receiving half, as the addon has it. */
export interface NapiReceive {
  /** The next bytes, `null` at the FIN. */
  read(maxSize: number): Promise<Uint8Array | null>;
  stop(code: number): Promise<void>;
}

/** A stream's sending half. */
export interface NapiSend {
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  reset(code: number): Promise<void>;
}

const LONGEST_READ = 65_536;

/** Half of a stream of the addon's, until it is over. */
export class Held<T> {
  #half: T | undefined;
  readonly #onReleased: () => void;

  constructor(half: T, onReleased: () => void = ignore) {
    this.#half = half;
    this.#onReleased = onReleased;
  }

  /** The half; throws when it is over. */
  get half(): T {
    if (this.#half === undefined) throw new TransportFault("The session is over");
    return this.#half;
  }

  /** The half; `undefined` when it is over. */
  get remaining(): T | undefined {
    return this.#half;
  }

  release(): void {
    this.#half = undefined;
    this.#onReleased();
  }
}

const END: ByteRead = { done: true };

/** A stream for one request. Node's streams of the web cost 4 KB each, which it holds until it collects its old generation. */
export class NapiRequestStream implements RequestStream {
  // Not let go when the session ends: what has arrived by then is still read.
  #receive: NapiReceive | undefined;
  readonly #send: Held<NapiSend>;
  #endRead: (end: ByteRead) => void = ignore;

  constructor(receive: NapiReceive, send: Held<NapiSend>) {
    this.#receive = receive;
    this.#send = send;
  }

  async send(bytes: Uint8Array): Promise<void> {
    try {
      await writeCopy(this.#send, bytes);
      await this.#send.half.finish();
      this.#send.release();
    } catch (error) {
      throw sendFault(this.#send, error);
    }
  }

  read(): Promise<ByteRead> {
    const receive = this.#receive;
    if (receive === undefined) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#endRead = resolve;
      receive.read(LONGEST_READ).then((bytes) => {
        if (bytes !== null) return resolve({ done: false, value: plain(bytes) });
        this.#receive = undefined;
        resolve(END);
      }, (error) => {
        this.#receive = undefined;
        reject(streamFault(error));
      });
    });
  }

  abort(reason?: unknown): void {
    const code = streamErrorCode(reason) ?? 0;
    reset(this.#send, code);
    // Not awaited: a read that is under way goes first.
    this.#receive?.stop(code).catch(ignore);
    this.#receive = undefined;
    this.#endRead(END);
  }
}

/** Without the methods of the runtime's own buffers. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Writes a copy: the addon reads it on another thread. */
function writeCopy(send: Held<NapiSend>, bytes: Uint8Array): Promise<void> {
  return send.half.write(bytes.slice());
}

/** W3C's stream over a receiving half. */
export function wrapReceive(half: NapiReceive): ReadableStream<Uint8Array> {
  // Not let go when the session ends: what has arrived by then is still read.
  const receive = new Held(half);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let bytes: Uint8Array | null;
      try {
        bytes = await receive.half.read(LONGEST_READ);
      } catch (error) {
        receive.release();
        throw streamFault(error);
      }
      if (bytes === null) {
        receive.release();
        controller.close();
      } else controller.enqueue(plain(bytes));
    },
    cancel(reason) {
      // Not awaited: a read that is under way goes first.
      receive.remaining?.stop(streamErrorCode(reason) ?? 0).catch(ignore);
      receive.release();
    },
  }, { highWaterMark: 0 });
}

/** W3C's stream over a sending half. */
export function wrapSend(send: Held<NapiSend>): WritableStream<Uint8Array> {
  const abort = (reason: unknown): void => reset(send, streamErrorCode(reason) ?? 0);
  return new WritableStream<Uint8Array>({
    start({ signal }) {
      // `abort` below is not called before a write that is under way has settled, and a blocked one never does.
      signal.addEventListener("abort", () => abort(signal.reason));
    },
    async write(chunk) {
      try {
        await writeCopy(send, chunk);
      } catch (error) {
        throw sendFault(send, error);
      }
    },
    async close() {
      try {
        await send.half.finish();
        send.release();
      } catch (error) {
        throw sendFault(send, error);
      }
    },
    abort,
  });
}

/** Resets what is still held, once. */
function reset(send: Held<NapiSend>, code: number): void {
  send.remaining?.reset(code).catch(ignore);
  send.release();
}

/** Why nothing more can be sent. STOP_SENDING is answered by a reset (RFC 9000 section 3.5): until then the peer keeps the stream's credit. */
function sendFault(send: Held<NapiSend>, error: unknown): TransportFault {
  const fault = streamFault(error);
  reset(send, fault.streamErrorCode ?? 0);
  return fault;
}

/** The addon reports the end of a stream by text alone: "RESET_STREAM: 7", "STOP_SENDING: 7". */
function streamFault(error: unknown): TransportFault {
  const text = messageOf(error);
  const code = /(?:RESET_STREAM|STOP_SENDING): (\d+)/.exec(text)?.[1];
  return new TransportFault(text, code === undefined ? undefined : Number(code));
}
