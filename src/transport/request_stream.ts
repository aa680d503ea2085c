import { ignore } from "../base/ignore.ts";
import { type ByteRead, ByteReader } from "./http3/byte_reader.ts";
import type { BidirectionalStream, RequestStream } from "./types.ts";

// Most replies have less than a hundred bytes; a list takes several reads.
const REPLY_BYTES = 1_024;

/** A request over streams of the web. */
export class WebRequestStream implements RequestStream {
  readonly #reader: ByteReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  /** Locks both sides. */
  constructor({ readable, writable }: BidirectionalStream) {
    this.#reader = new ByteReader(readable, { bufferBytes: REPLY_BYTES });
    this.#writer = writable.getWriter();
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes);
    await this.#writer.close();
  }

  read(): Promise<ByteRead> {
    return this.#reader.read();
  }

  abort(reason?: unknown): void {
    this.#writer.abort(reason).catch(ignore);
    this.#reader.cancel(reason).catch(ignore);
  }
}
