/**
 * A bridge between a call and a voice model: the caller's samples to the model, the model's to the caller, safe in every ending.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { AudioLink, AudioOptions } from "./audio_link.ts";
import { audioPort } from "./audio_port.ts";
import type { AudioChunk } from "./chunk.ts";
import type { PlaybackEnd } from "./speech_track.ts";

/** The call of a bridge, as far as it needs one. */
export interface BridgeableCall {
  /** Opens the call's audio. */
  audio(options?: AudioOptions): AudioLink;
}

/** Options of {@linkcode bridgeAudio}. */
export interface BridgeOptions {
  /** The model's rate in hertz, 8000 to 48000, in both directions. Default: 24000. */
  readonly sampleRate?: number | undefined;
  /** Paces and reorders the caller's audio, as in `call.audio()`. Default: 60. */
  readonly jitterBufferMs?: number | undefined;
  /** Receives what the caller says, 20 ms at a time. When it throws, the bridge ends. */
  send(samples: Int16Array): void;
  /**
   * Called once with a function that takes the model's audio: samples at `sampleRate`, of any length, faster than they are played. Can
   * return a function that is called when the bridge ends, such as one that removes a listener.
   */
  onAudio(play: (chunk: AudioChunk) => void): void | (() => void);
  /**
   * Called once with a function to call when the caller interrupts the model: it drops what was not yet heard, here and at the gateway,
   * and resolves with how much was played. Can return a function that is called when the bridge ends.
   */
  onInterrupted?(interrupt: () => Promise<PlaybackEnd>): void | (() => void);
}

/** How a bridge ended. */
export interface BridgeEnd {
  /** `"call-ended"`: either side hung up, or the link was lost; `"closed"`: by `close()`; `"failed"`: `send` or a chunk failed. */
  readonly reason: "call-ended" | "closed" | "failed";
  /** What `send` threw, or why a chunk was refused; or the error with which the link ended. */
  readonly error: unknown;
}

/** A running bridge. */
export interface Bridge extends AsyncDisposable {
  /** Resolves when the bridge has ended. Never rejects. */
  readonly ended: Promise<BridgeEnd>;
  /** Ends the bridge and plays out what was written. The call goes on. */
  close(): Promise<void>;
}

/**
 * Connects a call's audio with a voice model. Nothing has to be awaited: when the call or the model ends, the bridge ends, and what the
 * model still sends is dropped.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when the call's audio is open with other options, `ERR_CALL_ENDED` after its end.
 *
 * @example A model that takes and gives 24 kHz PCM16 over a WebSocket
 * ```ts
 * import { bridgeAudio, type Call } from "@telequick/sdk";
 *
 * export function connectModel(call: Call, model: WebSocket) {
 *   model.binaryType = "arraybuffer";
 *   const bridge = bridgeAudio(call, {
 *     send: (samples) => model.send(samples),
 *     onAudio: (play) => {
 *       model.onmessage = ({ data }) => play(new Int16Array(data));
 *     },
 *   });
 *   model.onclose = () => void call.hangUp();
 *   return bridge.ended;
 * }
 * ```
 */
export function bridgeAudio(call: BridgeableCall, options: BridgeOptions): Bridge {
  const { sampleRate = 24_000, jitterBufferMs = 60, send, onAudio, onInterrupted } = options;
  for (const [name, value] of Object.entries({ send, onAudio })) {
    if (typeof value !== "function") {
      throw new TypeError(`Cannot bridge audio: ${name} is ${typeof value}, expected a function`);
    }
  }
  const link = call.audio({ sampleRate, jitterBufferMs });
  const port = audioPort(link);
  const cleanUps: (() => void)[] = [];
  let end: BridgeEnd | undefined;
  let resolveEnded: (end: BridgeEnd) => void = ignore;
  const ended = new Promise<BridgeEnd>((resolve) => resolveEnded = resolve);

  const finish = (reason: BridgeEnd["reason"], error?: unknown): void => {
    if (end !== undefined) return;
    end = { reason, error };
    stop();
    for (const cleanUp of cleanUps) attempt(cleanUp);
    resolveEnded(end);
  };
  const guard = (work: () => void): void => {
    if (end !== undefined) return;
    try {
      work();
    } catch (error) {
      finish("failed", error);
    }
  };
  let stop: () => void = ignore;
  stop = port.receiveSamples({
    take: (samples) => guard(() => send(samples)),
    end: (error) => finish("call-ended", error),
  });
  // It can have ended while the receiver was added.
  if (end !== undefined) stop();

  const play = (chunk: AudioChunk): void => guard(() => port.send(chunk));
  const interrupt = async (): Promise<PlaybackEnd> =>
    end === undefined ? await link.clear() : { playedMs: 0, durationMs: 0, interrupted: false };
  guard(() => {
    for (const cleanUp of [onAudio(play), onInterrupted?.(interrupt)]) {
      if (typeof cleanUp === "function") cleanUps.push(cleanUp);
    }
  });
  void port.ended.then(() => finish("call-ended"));
  return {
    ended,
    async close() {
      finish("closed");
      await link.close();
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The bridge is over: its user's listener has nothing to add.
  }
}

/** Refuses what is not a call of a client. */
export function checkBridgeable(call: unknown): asserts call is BridgeableCall {
  if (typeof (call as BridgeableCall | undefined)?.audio === "function") return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot bridge audio: call has no audio(), expected a Call of client.dial() or client.answerIncomingCall()",
  );
}
