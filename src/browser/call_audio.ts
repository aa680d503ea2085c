/**
 * What stands between a call's link and the worklet's port, in the page or in a Worker.
 *
 * @module
 */

import { deferred } from "../base/deferred.ts";
import { type Clock, systemClock } from "../base/signal.ts";
import { type AudioCodec, audioPort, type Call, type PlaybackEnd } from "../client/mod.ts";
import type { TeleQuickError } from "../base/errors.ts";
import { FrameDecoder } from "./decoder.ts";
import {
  BLOCKS_PER_SECOND,
  type FromMicrophone,
  type Port,
  type ToSpeaker,
} from "./worklet/messages.ts";

/** How a call's audio is carried. */
export interface CarryOptions {
  readonly codec: AudioCodec;
  /** The context's rate. */
  readonly sampleRate: number;
  /** Called each time when the microphone's sound has come, 100 times a second. */
  readonly onTick?: (() => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** A call's audio on its way between the link and the worklet. */
export interface CarriedAudio {
  /** Uses another port: the worklet was made anew. */
  use(port: Port): void;
  /** Drops what was sent to the far end and not yet played there; gives what was heard of it. */
  clear(): Promise<PlaybackEnd>;
  /** Says that the stream has ended, after what was sent. */
  close(): Promise<void>;
  /** Resolves when the audio has ended; rejects with the error that ended it, if one did. */
  readonly ended: Promise<void>;
}

/** The method of a call that carries its audio itself: one whose client runs elsewhere. */
export const carry: unique symbol = Symbol("carry");

/** A call that carries its audio itself. */
export interface CarriesItself {
  [carry](port: Port, options: CarryOptions): CarriedAudio;
}

// Blocks are acknowledged in groups of ten: the worklet stops when they are not taken.
const ACKNOWLEDGE = 10;

/** Carries the audio of a call of this thread's own client. */
export function carryAudio(call: Call, first: Port, options: CarryOptions): CarriedAudio {
  const { codec, sampleRate, onTick, clock = systemClock } = options;
  const link = call.audio({ codec, sampleRate, source: "live" });
  const inner = audioPort(link);
  const decoder = new FrameDecoder(sampleRate);
  const frames = new FrameCollector(sampleRate, (frame) => inner.send(frame));
  const over = deferred<void>();
  let failure: TeleQuickError | undefined;
  let port = first;
  let taken = 0;
  const say = (message: ToSpeaker, transfer: Transferable[] = []): void =>
    port.postMessage(message, transfer);
  inner.receive({
    take(lent) {
      // What comes out of order waits for what is missing.
      const frame = { ...lent, payload: lent.payload.slice() };
      decoder.push(frame, clock.monotonic(), (samples) => say(samples, [samples.buffer]));
    },
    end(error) {
      failure = error;
    },
  });
  void inner.ended.then(() => {
    port.close();
    if (failure === undefined) over.resolve();
    else over.reject(failure);
  });
  const use = (another: Port): void => {
    if (another !== port) port.close();
    port = another;
    port.onmessage = ({ data }: MessageEvent<FromMicrophone>) => {
      if (++taken % ACKNOWLEDGE === 0) say(ACKNOWLEDGE);
      frames.push(data);
      onTick?.();
    };
  };
  use(first);
  return {
    use,
    clear: () => link.clear(),
    close: () => link.close(),
    ended: over.promise,
  };
}

const BLOCKS_PER_FRAME = 2;

/** Joins two blocks to one frame, which the link sends whole: half a frame would wait there for the rest, or leave with silence. */
class FrameCollector {
  readonly #send: (frame: Int16Array) => void;
  readonly #frame: Int16Array;
  #filled = 0;

  constructor(sampleRate: number, send: (frame: Int16Array) => void) {
    this.#send = send;
    this.#frame = new Int16Array(BLOCKS_PER_FRAME * Math.round(sampleRate / BLOCKS_PER_SECOND));
  }

  /** Takes a block. */
  push(block: Int16Array): void {
    this.#frame.set(block, this.#filled);
    this.#filled += block.length;
    if (this.#filled < this.#frame.length) return;
    this.#filled = 0;
    this.#send(this.#frame);
  }
}
