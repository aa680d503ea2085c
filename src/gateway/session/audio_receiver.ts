/**
 * Audio from a client: one-way streams of frames, each frame for a call of the session's own tenant.
 *
 * @module
 */

import { type AudioCodec, audioCodecs, isAudioCodec } from "../../audio/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type ByteBudget, Unfinished } from "../../base/unfinished.ts";
import { ByteReader } from "../../transport/mod.ts";
import { AudioFrame, type Frame, FrameReader, methods, pushById } from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import type { RpcContext } from "../methods/route.ts";
import { SequenceTrack } from "../call/sequence.ts";
import { ignore } from "../../base/ignore.ts";

/** Options of {@linkcode receiveAudio}. */
export interface ReceiveAudioOptions {
  /** Remembers what stops the stream when the session is over. Returns what forgets it again. */
  readonly track: (stop: () => void) => () => void;
  /** What the session has for frames that have begun and not ended. */
  readonly unfinished: ByteBudget;
}

// A second of one call's audio, or what a few packets bring of many calls'.
const UPLINK_BYTES = 16 * 1024;
// A stream that says nothing holds no more.
const FIRST_BYTES = 1_024;

/** Reads a stream to its end. Never rejects. */
export async function receiveAudio(
  stream: ReadableStream<Uint8Array>,
  context: RpcContext,
  options: ReceiveAudioOptions,
): Promise<void> {
  const { limits, counters, log, clock } = context.gateway;
  // Consumers that keep audio copy it, and what is unfinished the frame reader does: one buffer is enough.
  const reader = new ByteReader(stream, {
    ...{ bufferBytes: UPLINK_BYTES, firstBytes: FIRST_BYTES, reuse: true },
  });
  reader.closed.catch(ignore);
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    reader.cancel().catch(ignore);
  };
  const untrack = options.track(stop);
  const uplink = new Uplink(context);
  const unfinished = new Unfinished({
    ...{ budget: options.unfinished, clock, limitMs: limits.streamMs },
    onLate() {
      counters.timedOut++;
      stop();
    },
  });
  const frames = new FrameReader({ limitBytes: limits.audioFrameBytes });
  try {
    while (true) {
      const { value, done } = await reader.read();
      // The session can have ended while the frames were on their way.
      if (isStopped || !context.session.isLive) return;
      if (done) return frames.end();
      const whole = frames.push(value);
      uplink.take(whole);
      if (!unfinished.note(frames.pendingBytes, whole.length > 0)) {
        counters.limited++;
        return log("limit.reached", { ...context.ids, reason: "unfinishedBytes" });
      }
      if (uplink.badInARow < limits.badAudioFrames) continue;
      counters.limited++;
      return log("audio.refused", { ...context.ids, count: uplink.badInARow });
    }
  } catch (error) {
    // Bytes that are not a frame give a TeleQuickError; everything else means that the peer or the session has gone.
    if (error instanceof TeleQuickError) counters.malformed++;
  } finally {
    stop();
    unfinished.end();
    untrack();
  }
}

interface Packet {
  readonly payload: Uint8Array;
  readonly codec: AudioCodec;
  readonly sequenceNumber: number;
}

/** What one stream has carried so far. */
class Uplink {
  readonly #context: RpcContext;
  readonly #tracks = new Map<Call, SequenceTrack>();
  #badInARow = 0;

  constructor(context: RpcContext) {
    this.#context = context;
  }

  get badInARow(): number {
    return this.#badInARow;
  }

  /** Takes frames that arrived together. */
  take(frames: readonly Frame[]): void {
    const { counters, clock } = this.#context.gateway;
    // One look at the clock for all of them.
    const now = clock.monotonic();
    for (const frame of frames) {
      if (isAudio(frame) && this.#hear(frame, now)) {
        this.#badInARow = 0;
        counters.audioReceived++;
      } else {
        this.#badInARow++;
        counters.audioRefused++;
      }
    }
  }

  /** Returns `false` for a frame that has no receiver. */
  #hear({ envelope }: Frame, now: number): boolean {
    const { callSid, payload, codec, sequenceNumber, endOfStream } = AudioFrame.decode(envelope);
    const { tenant, gateway, session } = this.#context;
    const call = tenant.call(callSid);
    // A supervisor speaks by its supervision.
    const mayHear = call !== undefined &&
      (session.supervisions.has(call) || tenant.mayReach(session.access, call, "speak"));
    if (!mayHear || payload.length > gateway.limits.audioPayloadBytes) return false;
    const supervision = session.supervisions.get(call);
    if (supervision !== undefined) {
      if (!supervision.speak(payload, codec)) gateway.counters.audioDropped++;
      return true;
    }
    if (!isAudioCodec(codec)) return endOfStream && payload.length === 0;
    const track = this.#trackOf(call);
    if (track.isEnded) return false;
    if (payload.length === 0) {
      // Where faults make packets late, its number would pass theirs, which would then be too late.
      if (!call.isFaulty && track.take(sequenceNumber) === undefined) return false;
      track.isEnded = endOfStream;
      return endOfStream;
    }
    const packet = { payload, codec, sequenceNumber };
    const isTaken = call.isFaulty
      ? this.#carry(call, track, packet)
      : this.#arrive(call, track, packet, now);
    if (!isTaken) return false;
    track.isEnded = endOfStream;
    return true;
  }

  /** Where faults make a packet late or lost, it was taken all the same. */
  #carry(call: Call, track: SequenceTrack, packet: Packet): boolean {
    const { clock } = this.#context.gateway;
    let isTaken: boolean | undefined;
    call.lines.toFarEnd(packet.payload, (payload) => {
      const isNew = this.#arrive(call, track, { ...packet, payload }, clock.monotonic());
      isTaken ??= isNew;
    });
    return isTaken ?? true;
  }

  /** Takes a packet that arrived at `now`. Returns `false` for one that came before. */
  #arrive(call: Call, track: SequenceTrack, packet: Packet, now: number): boolean {
    const { payload, codec, sequenceNumber } = packet;
    const { counters } = this.#context.gateway;
    const lost = track.take(sequenceNumber);
    if (lost === undefined) return false;
    call.media?.miss(lost);
    const { sampleRate, bytesPerSample } = audioCodecs[codec];
    const lengthMs = (payload.length * 1_000) / (sampleRate * bytesPerSample);
    call.media?.jitter.arrived(now, sequenceNumber * lengthMs);
    if (!call.hear(payload, codec, now)) counters.audioDropped++;
    return true;
  }

  #trackOf(call: Call): SequenceTrack {
    let track = this.#tracks.get(call);
    if (track === undefined) {
      track = new SequenceTrack();
      this.#tracks.set(call, track);
      for (const other of this.#tracks.keys()) {
        if (other.state === "ended") this.#tracks.delete(other);
      }
    }
    return track;
  }
}

/** Frames of audio come with the id of this version; ids that only other SDKs write are looked up. */
function isAudio({ methodId }: Frame): boolean {
  return methodId === methods.AudioFrame.id || pushById(methodId) === methods.AudioFrame;
}
