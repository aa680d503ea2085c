/**
 * What stands between a call's link and the worklet's port, in the page or in a Worker.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import { type Clock, systemClock } from "../base/signal.ts";
import type { AudioCodec, Call } from "../client/mod.ts";
import { openCallPort } from "./call_port.ts";
import { FrameDecoder } from "./decoder.ts";
import type { FromMicrophone, ToSpeaker } from "./worklet/messages.ts";

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
  use(port: MessagePort): void;
  /** Drops what was sent to the far end and not yet played there. */
  clear(): Promise<void>;
  /** Says that the stream has ended, after what was sent. */
  close(): Promise<void>;
  /** Resolves when the audio has ended; rejects with the error that ended it, if one did. */
  readonly ended: Promise<void>;
}

/** The method of a call that carries its audio itself: one whose client runs elsewhere. */
export const carry: unique symbol = Symbol("carry");

/** A call that carries its audio itself. */
export interface CarriesItself {
  [carry](port: MessagePort, options: CarryOptions): CarriedAudio;
}

// Blocks are acknowledged so many at a time: the worklet stops where nobody takes them.
const ACKNOWLEDGE = 10;

/** Carries the audio of a call of this thread's own client. */
export function carryAudio(call: Call, first: MessagePort, options: CarryOptions): CarriedAudio {
  const { codec, sampleRate, onTick, clock = systemClock } = options;
  const decoder = new FrameDecoder(sampleRate);
  let port = first;
  let taken = 0;
  const say = (message: ToSpeaker, transfer: Transferable[] = []): void =>
    port.postMessage(message, transfer);
  const { link, send, ended } = openCallPort(call, { codec, sampleRate }, (frame) => {
    decoder.push(frame, clock.monotonic(), (samples) => say(samples, [samples.buffer]));
  });
  const use = (another: MessagePort): void => {
    if (another !== port) port.close();
    port = another;
    port.onmessage = ({ data }: MessageEvent<FromMicrophone>) => {
      if (++taken % ACKNOWLEDGE === 0) say(ACKNOWLEDGE);
      send(data);
      onTick?.();
    };
  };
  use(first);
  return {
    use,
    clear: () => link.clear().then(ignore),
    async close() {
      await link.close();
      port.close();
    },
    ended: ended.finally(() => port.close()),
  };
}
