/** Options of a {@linkcode ByteReader}. */
export interface ByteReaderOptions {
  /** How many bytes one read brings at most, where the stream lets its reader decide. */
  readonly bufferBytes: number;
  /** The same for the first read; a read that fills its buffer gets twice as much the next time. Default: `bufferBytes`. */
  readonly firstBytes?: number;
  /** Whether what was read is only valid until the next read, which goes into the same buffer. Default: `false`. */
  readonly reuse?: boolean;
}

/** What one read brings, as a stream's reader says it; not every consumer's types have a name for it. */
export type ByteRead =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value?: Uint8Array | undefined };

/**
 * Reads a stream into buffers of a size that fits. A plain reader leaves the size to the runtime: 64 KiB on Deno, allocated for every
 * read and held by every read that waits, which is more than all else that an RPC or an idle stream costs.
 */
export class ByteReader {
  readonly #plain: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #byob: ReadableStreamBYOBReader | undefined;
  readonly #options: ByteReaderOptions;
  #buffer: ArrayBuffer | undefined;
  #size: number;

  /** Locks the stream. One that is not a byte stream is read as it comes. */
  constructor(readable: ReadableStream<Uint8Array>, options: ByteReaderOptions) {
    this.#options = options;
    this.#size = options.firstBytes ?? options.bufferBytes;
    try {
      this.#byob = readable.getReader({ mode: "byob" });
    } catch (error) {
      if (readable.locked) throw error;
      this.#plain = readable.getReader();
    }
  }

  /** Settles when the stream is over, as a reader's `closed` does. */
  get closed(): Promise<unknown> {
    return (this.#byob ?? this.#plain)!.closed;
  }

  /** The next bytes, as a reader gives them. One read at a time. */
  read(): Promise<ByteRead> {
    const byob = this.#byob;
    if (byob === undefined) return this.#plain!.read();
    const { bufferBytes, reuse = false } = this.#options;
    if (!reuse) return byob.read(new Uint8Array(bufferBytes));
    return this.#readAgain(byob, this.#buffer ?? new ArrayBuffer(this.#size));
  }

  /** Stops reading, as a reader's `cancel` does. */
  cancel(reason?: unknown): Promise<void> {
    return (this.#byob ?? this.#plain)!.cancel(reason);
  }

  async #readAgain(
    byob: ReadableStreamBYOBReader,
    buffer: ArrayBuffer,
  ): Promise<ByteRead> {
    this.#buffer = undefined;
    const result = await byob.read(new Uint8Array(buffer));
    // A reader gives back the buffer that it was lent.
    this.#buffer = result.value?.buffer as ArrayBuffer | undefined;
    if (result.value?.length === this.#size && this.#size < this.#options.bufferBytes) {
      this.#size = Math.min(2 * this.#size, this.#options.bufferBytes);
      this.#buffer = undefined;
    }
    return result;
  }
}
