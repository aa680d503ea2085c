import { ignore } from "../base/ignore.ts";
import { moved } from "../base/operations.ts";
import { streamErrorCode, TransportFault } from "./fault.ts";

/** One direction of an in-memory stream. */
export interface Pipe {
  /** The reader's end. */
  readonly readable: ReadableStream<Uint8Array>;
  /** The writer's end. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends both ends with an error; what is on its way is lost. */
  fail(error: unknown): void;
}

/** Options of {@linkcode createPipe}. */
export interface PipeOptions {
  /** Bytes on their way from which on a write waits for the reader. */
  readonly highWaterMark: number;
  /** The longest chunk that the reader gets, in bytes. */
  readonly chunkBytes: number;
  /** Called once when nothing more can come: read to the end, reset, cancelled or failed. */
  readonly onDone: () => void;
}

/**
 * Makes one direction of a stream as QUIC has it: chunks are copied on the way in and cut at will, writes wait for the reader,
 * closing is a FIN, aborting drops what is on its way, cancelling stops the writer, and both carry a code.
 */
export function createPipe(options: PipeOptions): Pipe {
  const { highWaterMark, chunkBytes } = options;
  const chunks: Uint8Array[] = [];
  let buffered = 0;
  let finished = false;
  let done = false;
  let wakeReader = ignore;
  let wakeWriter = ignore;
  let source!: ReadableStreamDefaultController<Uint8Array>;
  let sink!: WritableStreamDefaultController;

  const end = (): void => {
    if (done) return;
    done = true;
    chunks.length = 0;
    buffered = 0;
    wakeReader();
    wakeWriter();
    options.onDone();
  };

  const take = (): Uint8Array | undefined => {
    const chunk = chunks[0];
    if (chunk === undefined) return undefined;
    if (chunk.length > chunkBytes) chunks[0] = chunk.subarray(chunkBytes);
    else chunks.shift();
    const part = chunk.subarray(0, chunkBytes);
    moved();
    buffered -= part.length;
    if (buffered < highWaterMark) wakeWriter();
    return part;
  };

  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
    },
    async pull(controller) {
      while (!done) {
        const chunk = take();
        if (chunk !== undefined) return controller.enqueue(chunk);
        if (finished) {
          controller.close();
          return end();
        }
        await new Promise<void>((resolve) => wakeReader = resolve);
      }
    },
    cancel(reason) {
      sink.error(
        new TransportFault("The peer stopped reading the stream", streamErrorCode(reason) ?? 0),
      );
      end();
    },
  }, { highWaterMark: 0 });

  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      sink = controller;
      // An abort must not wait for a write that waits for the reader.
      controller.signal.addEventListener("abort", () => wakeWriter());
    },
    async write(chunk) {
      const copy = copyOf(chunk);
      if (copy.length === 0 || done) return;
      chunks.push(copy);
      moved();
      buffered += copy.length;
      wakeReader();
      if (buffered < highWaterMark) return;
      await new Promise<void>((resolve) => wakeWriter = resolve);
    },
    close() {
      finished = true;
      wakeReader();
    },
    abort(reason) {
      if (!done) {
        source.error(new TransportFault("The peer reset the stream", streamErrorCode(reason) ?? 0));
      }
      end();
    },
  });

  return {
    readable,
    writable,
    fail(error) {
      if (done) return;
      source.error(error);
      sink.error(error);
      end();
    },
  };
}

function copyOf(chunk: unknown): Uint8Array {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk.slice(0));
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice();
  }
  throw new TypeError("Cannot write: the chunk is not bytes, expected a Uint8Array");
}
