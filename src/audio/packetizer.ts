/**
 * Cuts a stream of bytes into frames of one size.
 *
 * @module
 */

import { checkNumber, checkString } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { checkArray } from "./check.ts";

/** Options of a {@linkcode Packetizer}; an entry of `audioCodecs` will do for the 20 ms frames of that codec. */
export interface PacketizerOptions {
  /** Bytes in a frame, 1 to 1,048,576: 160 for 20 ms of PCMU or PCMA, 640 for 20 ms of PCM16 at 16 kHz. */
  readonly frameBytes: number;
  /** The byte that pads the last frame. Default: 0, which is silence in PCM16 and nowhere else. */
  readonly silence?: number;
  /**
   * What `flush()` does with bytes that fill no frame: `"pad"` completes the frame with `silence`, `"keep"` gives them as a shorter
   * frame, `"drop"` forgets them. Default: `"pad"`.
   */
  readonly tail?: "pad" | "keep" | "drop";
}

const MAX_FRAME_BYTES = 1_048_576;
const tails: readonly string[] = ["pad", "keep", "drop"];

/**
 * Takes chunks of any size and gives frames of one size, in order. Each byte is copied once, into the frame that it ends up in: frames
 * belong to the caller, and a chunk can be overwritten as soon as `push` returns. Less than one frame is held between calls.
 *
 * @example Cut PCMU audio into frames of 20 ms
 * ```ts
 * import { audioCodecs, Packetizer } from "@telequick/sdk/audio";
 *
 * const packetizer = new Packetizer(audioCodecs.PCMU);
 * const frames = packetizer.push(new Uint8Array(400).fill(0xff)); // two frames of 160 bytes
 * const last = packetizer.flush(); // 80 bytes of audio, 80 of silence
 * ```
 */
export class Packetizer {
  readonly #frameBytes: number;
  readonly #silence: number;
  readonly #tail: "pad" | "keep" | "drop";
  // The frame being filled, allocated when its first byte comes and given away when its last one does.
  #frame: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /**
   * Makes a packetizer that holds nothing.
   *
   * @throws {TypeError} when an option is of another type.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` when an option is out of its range.
   */
  constructor(options: PacketizerOptions) {
    const { frameBytes, silence = 0, tail = "pad" } = options;
    const action = "make a packetizer";
    const frameRange = { min: 1, max: MAX_FRAME_BYTES, integer: true };
    checkNumber(action, "frameBytes", frameBytes, frameRange);
    checkNumber(action, "silence", silence, { min: 0, max: 255, integer: true });
    checkString(action, "tail", tail);
    if (!tails.includes(tail)) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot ${action}: tail is ${JSON.stringify(tail)}, expected one of ${tails.join(", ")}`,
      );
    }
    this.#frameBytes = frameBytes;
    this.#silence = silence;
    this.#tail = tail;
  }

  /** How many bytes wait for the rest of their frame; less than a frame. */
  get pendingBytes(): number {
    return this.#filled;
  }

  /**
   * Adds bytes and takes out every frame that is now complete, oldest first.
   *
   * @throws {TypeError} when `chunk` is not a `Uint8Array`.
   */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer>[] {
    checkArray(chunk, Uint8Array, "packetize");
    const frames: Uint8Array<ArrayBuffer>[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      const frame = this.#frame ??= new Uint8Array(this.#frameBytes);
      const end = Math.min(chunk.length, offset + frame.length - this.#filled);
      frame.set(chunk.subarray(offset, end), this.#filled);
      this.#filled += end - offset;
      offset = end;
      if (this.#filled === frame.length) {
        frames.push(frame);
        this.clear();
      }
    }
    return frames;
  }

  /** Ends the stream: gives what is left as the `tail` option says, `undefined` when nothing is. The packetizer is then as new. */
  flush(): Uint8Array<ArrayBuffer> | undefined {
    const frame = this.#frame;
    const filled = this.#filled;
    this.clear();
    if (frame === undefined || this.#tail === "drop") return undefined;
    return this.#tail === "keep" ? frame.subarray(0, filled) : frame.fill(this.#silence, filled);
  }

  /** Forgets what is left, for example when the caller interrupts and the rest is not to be heard. */
  clear(): void {
    this.#frame = undefined;
    this.#filled = 0;
  }
}
