/**
 * Playbacks: whole utterances handed over by name, played one after another, each with what was heard of it.
 *
 * @module
 */

import { randomUuid } from "../../base/uuid.ts";
import { ignore } from "../../base/ignore.ts";
import { deferred } from "../../base/deferred.ts";
import { report } from "../../base/handled.ts";
import type { Clock } from "../../base/signal.ts";
import { type AudioChunk, checkChunk, type ChunkFormat, chunkMs } from "./chunk.ts";
import type { OutgoingAudio } from "./send.ts";
import { type PlaybackEnd, SpeechTrack } from "./speech_track.ts";

/** What {@linkcode AudioLink.play} takes: one chunk, or chunks as they come. */
export type AudioSource = AudioChunk | AsyncIterable<AudioChunk> | ReadableStream<AudioChunk>;

/** Options of {@linkcode AudioLink.play}. */
export interface PlayOptions {
  /** A name for the playback, for example the id of the model's response. Default: a fresh UUID v4. */
  readonly id?: string | undefined;
}

/** One utterance on its way. */
export interface Playback {
  /** Its name. */
  readonly id: string;
  /**
   * How much of it has been played, in milliseconds: the 20 ms slots that have passed of what was handed to the transport. What the
   * gateway itself holds back is not known on this side.
   */
  readonly playedMs: number;
  /** How much of what its source has given so far is still to be played, in milliseconds. */
  readonly queuedMs: number;
  /**
   * Resolves when it has been played to its end, was stopped or cleared, or the call ended. Rejects with the source's error, where the
   * source fails. It need not be awaited.
   */
  readonly finished: Promise<PlaybackEnd>;
  /** Drops what is still to be sent of it, here and not at the gateway; the playback after it begins. Returns what was heard. */
  stop(): PlaybackEnd;
}

/** What playbacks need of their link. */
export interface PlaybackHost extends ChunkFormat {
  readonly outgoing: OutgoingAudio;
  readonly clock: Clock;
  /** How much of a source is taken ahead of its slots, in milliseconds. */
  readonly leadMs: number;
  /** How many chunks have been written to the link's stream so far: a playback comes after those that were written before it. */
  readonly written: () => number;
  /** How many of them have been handed on, dropped or refused. */
  readonly accepted: () => number;
}

/** Plays sources one after another. */
export class Playbacks {
  readonly #host: PlaybackHost;
  // The first one is being handed over.
  readonly #waiting: LivePlayback[] = [];
  // Those that were handed over and are not played to their end.
  readonly #playing = new Set<LivePlayback>();
  #isEnded = false;

  constructor(host: PlaybackHost) {
    this.#host = host;
  }

  /** Whether no source is left to be handed over. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Whether it is the turn of the chunk that was written as the one of this number: no playback that came before it waits. */
  mayWrite(number: number): boolean {
    const first = this.#waiting[0];
    return first === undefined || number <= first.after;
  }

  /** Adds a playback. */
  play(source: AudioSource, { id = randomUuid() }: PlayOptions): Playback {
    const playback = new LivePlayback(id, source, this.#host);
    if (this.#isEnded || this.#host.outgoing.isOver) {
      playback.settle();
      return playback;
    }
    this.#waiting.push(playback);
    if (this.#waiting.length === 1) void this.#handOver();
    return playback;
  }

  /** Ends what has been played to its end. */
  progress(): void {
    if (this.#playing.size === 0) return;
    for (const playback of this.#playing) {
      if (playback.finishIfPlayed()) this.#playing.delete(playback);
    }
  }

  /** Ends every playback, with what was heard of each. Returns how long those last that had not begun, in milliseconds. */
  clear(): number {
    let unbegunMs = 0;
    for (const playback of this.#waiting) {
      if (playback.isOver || this.#playing.has(playback)) continue;
      unbegunMs += playback.settle().durationMs;
    }
    for (const playback of [...this.#playing, ...this.#waiting]) playback.settle();
    this.#playing.clear();
    return unbegunMs;
  }

  /** Ends every playback; no other begins. */
  end(): void {
    this.#isEnded = true;
    this.clear();
  }

  async #handOver(): Promise<void> {
    while (this.#waiting.length > 0) {
      const playback = this.#waiting[0]!;
      const { accepted, outgoing } = this.#host;
      if (accepted() < playback.after) {
        await outgoing.until(() => playback.isOver || accepted() >= playback.after);
      }
      if (!playback.isOver) {
        this.#playing.add(playback);
        await playback.handOver();
      }
      this.#waiting.shift();
      outgoing.progress();
    }
  }
}

/** The implementation of {@linkcode Playback}. */
class LivePlayback implements Playback {
  readonly id: string;
  /** How many chunks were written before it. */
  readonly after: number;
  isOver = false;
  readonly #track = new SpeechTrack();
  readonly #chunks: AsyncIterator<AudioChunk>;
  readonly #host: PlaybackHost;
  readonly #finished = deferred<PlaybackEnd>();
  // Whether its source is one chunk, whose duration is known from the start.
  readonly #isKnown: boolean;
  // Resolves the wait for the source's next chunk, which can fail to come.
  #leaveSource: () => void = ignore;
  #failure: { readonly error: unknown } | undefined;
  #end: PlaybackEnd | undefined;

  constructor(id: string, source: AudioSource, host: PlaybackHost) {
    this.id = id;
    this.after = host.written();
    this.#host = host;
    this.#chunks = iterate(source, host);
    const durationMs = chunkMs(source, host);
    this.#isKnown = durationMs > 0;
    this.#track.durationMs = durationMs;
  }

  get playedMs(): number {
    return this.#end?.playedMs ?? this.#track.playedMs(this.#host.clock.monotonic());
  }

  get queuedMs(): number {
    return this.#end === undefined ? this.#track.queuedMs(this.#host.clock.monotonic()) : 0;
  }

  get finished(): Promise<PlaybackEnd> {
    return this.#finished.promise;
  }

  stop(): PlaybackEnd {
    return this.settle();
  }

  /** Takes chunks from the source as they are needed. Resolves when it has given its last one, or the playback is over. */
  async handOver(): Promise<void> {
    const { outgoing, leadMs, sampleRate } = this.#host;
    const pieceSamples = Math.ceil(sampleRate * PIECE_MS / 1_000);
    outgoing.begin(this.#track);
    try {
      while (!this.isOver && !outgoing.isOver) {
        const { value, done } = await this.#next();
        if (done === true || this.isOver) break;
        checkChunk(value, this.#host);
        // The whole chunk is known of now, although it is encoded piece by piece.
        if (!this.#isKnown) this.#track.durationMs += chunkMs(value, this.#host);
        for (let at = 0; at < value.length && !this.isOver; at += pieceSamples) {
          outgoing.push(value.subarray(at, at + pieceSamples), this.#track, 0);
          await outgoing.until(() => this.isOver || outgoing.queuedMs < leadMs);
        }
      }
    } catch (error) {
      this.#failure = { error };
      this.#leave();
    }
    // The link's stream has ended under it: its writer has closed or aborted it.
    if (outgoing.isOver) this.settle();
    else if (!this.isOver) outgoing.seal(this.#track);
  }

  /** Ends it when all of it has been played, or nothing more of it will be. Returns whether it is over. */
  finishIfPlayed(): boolean {
    if (this.isOver) return true;
    const { outgoing, clock } = this.#host;
    const isSaid = this.#track.isComplete && this.#track.isHanded;
    // The last tick was before the last slot's end: what the transport has will be heard.
    if (outgoing.hasSaidEnd) this.settle(isSaid ? Infinity : undefined);
    else if (isSaid && this.#track.hasPlayed(clock.monotonic())) this.settle();
    return this.isOver;
  }

  /** Ends it, with what will have been heard at `now`, and drops what is left of it. */
  settle(now: number = this.#host.clock.monotonic()): PlaybackEnd {
    if (this.#end !== undefined) return this.#end;
    const end = this.#end = this.#track.end(now);
    this.isOver = true;
    this.#leaveSource();
    this.#host.outgoing.cut(this.#track);
    this.#leave();
    if (this.#failure === undefined) this.#finished.resolve(end);
    else this.#finished.reject(this.#failure.error);
    return end;
  }

  #next(): Promise<IteratorResult<AudioChunk>> {
    return new Promise((resolve, reject) => {
      this.#leaveSource = () => resolve({ value: undefined, done: true });
      this.#chunks.next().then(resolve, reject);
    });
  }

  #leave(): void {
    // A source that is waiting for its own next chunk answers when it can.
    report(() => this.#chunks.return?.());
  }
}

// A long chunk is encoded piece by piece, as its slots come.
const PIECE_MS = 100;

function iterate(source: AudioSource, format: ChunkFormat): AsyncIterator<AudioChunk> {
  if (source instanceof ReadableStream) return readAll(source);
  const isIterable = typeof source === "object" && source !== null &&
    Symbol.asyncIterator in source;
  if (isIterable) return source[Symbol.asyncIterator]();
  checkChunk(source, format);
  return once(source);
}

async function* once(chunk: AudioChunk): AsyncGenerator<AudioChunk> {
  yield chunk;
}

/** Not by `for await`: not every browser's streams have it. */
function readAll(stream: ReadableStream<AudioChunk>): AsyncIterator<AudioChunk> {
  const reader = stream.getReader();
  return {
    async next() {
      const { value, done } = await reader.read();
      return done ? { value: undefined, done } : { value, done };
    },
    async return() {
      await reader.cancel();
      return { value: undefined, done: true };
    },
  };
}
