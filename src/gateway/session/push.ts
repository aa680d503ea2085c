/**
 * What the gateway pushes: one one-way stream of a session, opened when there is something to say, written once a turn.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";

/** Options of a {@linkcode PushStream}. */
export interface PushStreamOptions {
  /** Opens the stream; called again after `revive()`. */
  readonly open: () => Promise<WritableStream<Uint8Array>>;
  /** The bytes of what waits, as much as one write should hold; `undefined` when nothing does. */
  readonly take: () => Uint8Array | undefined;
  /** Called when the stream could not be opened or written. */
  readonly onFailure: () => void;
}

/** Writes what waits as fast as the peer reads it. After a failure it is silent until `revive()`. */
export class PushStream {
  readonly #options: PushStreamOptions;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #run: Promise<void> = Promise.resolve();
  #busy = false;
  #dead = false;

  constructor(options: PushStreamOptions) {
    this.#options = options;
  }

  /** Whether what is pushed goes nowhere. */
  get isDead(): boolean {
    return this.#dead;
  }

  /** Starts writing. Everything that is queued in the same turn goes out in one write. */
  wake(): void {
    if (this.#dead || this.#busy) return;
    this.#busy = true;
    this.#run = this.#write();
  }

  /** Resolves when everything that was queued so far is written, or cannot be. */
  flushed(): Promise<void> {
    return this.#run;
  }

  /** Forgets a failure: the next push opens a new stream. */
  revive(): void {
    if (!this.#dead || this.#busy) return;
    this.#dead = false;
    this.#writer = undefined;
  }

  /** Ends the stream: with FIN after what is written, or at once when the peer does not take it. */
  end(): void {
    this.#dead = true;
    if (this.#busy) this.#writer?.abort().catch(ignore);
    else this.#writer?.close().catch(ignore);
  }

  async #write(): Promise<void> {
    try {
      this.#writer ??= await this.#open();
      while (true) {
        await this.#writer.ready;
        const bytes = this.#dead ? undefined : this.#options.take();
        if (bytes === undefined) break;
        await this.#writer.write(bytes);
      }
      this.#busy = false;
    } catch {
      this.#busy = false;
      this.#dead = true;
      this.#options.onFailure();
    }
  }

  async #open(): Promise<WritableStreamDefaultWriter<Uint8Array>> {
    const stream = await this.#options.open();
    const writer = stream.getWriter();
    writer.closed.catch(ignore);
    if (this.#dead) await writer.abort();
    return writer;
  }
}
