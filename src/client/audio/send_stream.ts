/**
 * One outgoing one-way stream of audio frames: what is due in a turn goes out in one write.
 *
 * @module
 */

import type { ByteRoom } from "../../base/bytes.ts";
import { ignore } from "../../base/ignore.ts";
import { FrameList, type PendingFrame } from "./outgoing_frame.ts";

/** Options of an {@linkcode SendStream}. */
export interface SendStreamOptions {
  /** Where the bytes of its writes are put. */
  readonly room: ByteRoom;
  /** Opens the stream; called once. */
  readonly open: () => Promise<WritableStream<Uint8Array>>;
  /** How many frames wait while the stream is not open or not ready; one more drops the oldest. */
  readonly capacity: () => number;
  /** Called once when the stream fails. */
  readonly onFailure: (error: unknown) => unknown;
}

/** Collects frames and writes them; keeps the newest while it cannot write. The frames in it are not written yet. */
export class SendStream extends FrameList<PendingFrame> {
  // What the frames in it take.
  #pendingBytes = 0;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #room: ByteRoom;
  #lastWrite: Promise<void> = Promise.resolve();
  #waiting = false;
  #dead = false;
  readonly #opened: Promise<void>;
  readonly #options: SendStreamOptions;

  constructor(options: SendStreamOptions) {
    super();
    this.#options = options;
    this.#room = options.room;
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
    return this.length === 0;
  }

  /** Adds a frame to what the next flush writes. */
  override append(frame: PendingFrame): void {
    super.append(frame);
    this.#pendingBytes += frame.size;
  }

  override shift(): PendingFrame | undefined {
    const frame = super.shift();
    if (frame !== undefined) this.#pendingBytes -= frame.size;
    return frame;
  }

  /** Writes what waits, if the stream takes more now; otherwise as soon as it does. */
  flush(): void {
    const writer = this.#writer;
    if (writer === undefined || this.#dead) return this.#dropOldest();
    if (this.length === 0) return;
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
    const bytes = this.#room.take(this.#pendingBytes);
    let offset = 0;
    while (this.length > 0) offset = this.shift()!.encodeInto(bytes, offset);
    this.#lastWrite = writer.write(bytes);
    this.#lastWrite.catch(ignore);
  }

  /** Takes back what was not written, to be written elsewhere. */
  take(): PendingFrame[] {
    const frames: PendingFrame[] = [];
    while (this.length > 0) frames.push(this.shift()!);
    return frames;
  }

  /** Drops the frames of `owner` that were not written. */
  recall(owner: unknown): void {
    for (let left = this.length; left > 0; left--) {
      const frame = this.shift()!;
      if (frame.owner === owner) frame.recalled();
      else this.append(frame);
    }
  }

  /** Writes what waits and finishes the stream (FIN). Settles when the stream has taken everything, or has failed. */
  async finish(): Promise<void> {
    try {
      await this.#opened;
      while (this.length > 0 && !this.#dead) {
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

  #dropOldest(): void {
    const most = this.#options.capacity();
    while (this.length > most) this.shift()!.dropped();
  }

  #fail(error: unknown): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#options.onFailure(error);
  }
}
