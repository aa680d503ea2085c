/**
 * The inner side of a call's audio: frames in by a callback, samples handed over by a call. For the time being on the public streams.
 *
 * @module
 */

import type { AudioCodec, AudioLink, Call, ReceivedFrame } from "../client/mod.ts";

/** Both directions of a link. */
export interface CallPort {
  readonly link: AudioLink;
  /** Sends 16-bit samples at the link's rate. */
  send(samples: Int16Array): void;
  /** Resolves when the link has ended, rejects when it failed. */
  readonly ended: Promise<void>;
}

// A microphone is never later than this.
const LIVE_MS = 60;

/** Opens the audio of a call. */
export function openCallPort(
  call: Call,
  options: { readonly codec: AudioCodec; readonly sampleRate: number },
  take: (frame: ReceivedFrame) => void,
): CallPort {
  const { codec, sampleRate } = options;
  const link = call.audio({ codec, sampleRate, leadMs: LIVE_MS });
  const writer = link.writable.getWriter();
  writer.closed.catch(() => {});
  return {
    link,
    send(samples) {
      if ((writer.desiredSize ?? 0) > -LIVE_MS) writer.write(samples).catch(() => {});
    },
    ended: link.readable.pipeTo(new WritableStream({ write: take })),
  };
}
