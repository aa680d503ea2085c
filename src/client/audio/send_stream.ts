/**
 * One outgoing one-way stream of audio frames: what is due in a turn goes out in one write.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";

/** A frame that waits to be written. Its bytes are made when it is written, among those of others. */
export interface PendingFrame {
  /** What sent it. */
  readonly owner: unknown;
  /** How many bytes it takes. */
  readonly size: number;
  /** Writes it into `target` from `offset` on; returns where it ends. */
  encodeInto(target: Uint8Array, offset: number): number;
  /** Called when newer frames took its place. */
  dropped(): void;
  /** Called when its owner took it back. */
  recalled(): void;
}

/**
 * Memory for what is written. What fits is cut from a buffer, which is held for as long as one of its pieces is; each piece is given
 * once. Pieces that follow one another are read and written in that order, at a fraction of what it costs to come to each anew. Buffers of their own for streams that write a frame each make "audio path,
 * send a tick of 200 calls, streams: call" in tests/bench/audio_path_bench.ts take 1.25 times as long.
 */
export class WriteRoom {
  readonly #bufferBytes: number;
  #buffer = new ArrayBuffer(0);
  #used = 0;

  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  /** So many bytes, all zero. */
  take(size: number): Uint8Array {
    if (size > this.#bufferBytes) return new Uint8Array(size);
    if (this.#used + size > this.#buffer.byteLength) {
      this.#buffer = new ArrayBuffer(this.#bufferBytes);
      this.#used = 0;
    }
    const piece = new Uint8Array(this.#buffer, this.#used, size);
    this.#used += size;
    return piece;
  }
}

/** Options of an {@linkcode SendStream}. */
export interface SendStreamOptions {
  /** Where the bytes of its writes are put. */
  readonly room: WriteRoom;
  /** Opens the stream; called once. */
  readonly open: () => Promise<WritableStream<Uint8Array>>;
  /** How many frames wait while the stream is not open or not ready; one more drops the oldest. */
  readonly capacity: () => number;
  /** Called once when the stream fails. */
  readonly onFailure: (error: unknown) => unknown;
}

/** Collects frames and writes them; keeps the newest while it cannot write. */
export class SendStream {
  readonly #options: SendStreamOptions;
  readonly #opened: Promise<void>;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #pending: PendingFrame[] = [];
  #lastWrite: Promise<void> = Promise.resolve();
  #waiting = false;
  #dead = false;

  constructor(options: SendStreamOptions) {
    this.#options = options;
    this.#opened = options.open().then((stream) => {
      this.#writer = stream.getWriter();
      this.#writer.closed.catch((error: unknown) => this.#fail(error));
      this.flush();
    }).catch((error: unknown) => this.#fail(error));
  }

  /** Whether the stream has failed or was finished. */
  get isDead(): boolean {
    return this.#dead;
  }

  /** Whether everything that was added has been handed to the stream, or taken back. */
  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** Adds a frame to what the next flush writes. */
  append(frame: PendingFrame): void {
    this.#pending.push(frame);
  }

  /** Writes what waits, if the stream takes more now; otherwise as soon as it does. */
  flush(): void {
    const writer = this.#writer;
    if (writer === undefined || this.#dead) return this.#dropOldest();
    if (this.#pending.length === 0) return;
    if ((writer.desiredSize ?? 0) <= 0) {
      this.#dropOldest();
      if (this.#waiting) return;
      this.#waiting = true;
      writer.ready.then(() => {
        this.#waiting = false;
        this.flush();
      }, ignore);
      return;
    }
    const frames = this.#pending;
    this.#pending = [];
    const bytes = this.#options.room.take(frames.reduce((sum, { size }) => sum + size, 0));
    let offset = 0;
    for (const frame of frames) offset = frame.encodeInto(bytes, offset);
    this.#lastWrite = writer.write(bytes);
    this.#lastWrite.catch(ignore);
  }

  /** Takes back what was not written, to be written elsewhere. */
  take(): PendingFrame[] {
    return this.#pending.splice(0);
  }

  /** Drops the frames of `owner` that were not written. */
  recall(owner: unknown): void {
    const recalled = this.#pending.filter((frame) => frame.owner === owner);
    if (recalled.length === 0) return;
    this.#pending = this.#pending.filter((frame) => frame.owner !== owner);
    for (const frame of recalled) frame.recalled();
  }

  /** Writes what waits and finishes the stream (FIN). Settles when the stream has taken everything, or has failed. */
  async finish(): Promise<void> {
    try {
      await this.#opened;
      while (this.#pending.length > 0 && !this.#dead) {
        this.flush();
        await (this.#waiting ? this.#writer?.ready : this.#lastWrite);
      }
      await this.#lastWrite;
      this.#dead = true;
      await this.#writer?.close();
    } catch {
      // Reported through onFailure.
    }
  }

  /** All at once: with 1,600 calls one by one is what a stream that stands still has the process do, and nothing else. */
  #dropOldest(): void {
    const excess = this.#pending.length - this.#options.capacity();
    if (excess <= 0) return;
    for (const frame of this.#pending.splice(0, excess)) frame.dropped();
  }

  #fail(error: unknown): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#options.onFailure(error);
  }
}
