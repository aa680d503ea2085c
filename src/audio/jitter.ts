/**
 * Puts frames that arrive out of order, twice, late or never back in order.
 *
 * @module
 */

import { checkNumber, checkString } from "../base/check.ts";
import { checkArray } from "./check.ts";
import { audioCodecs, frameMilliseconds, isAudioCodec } from "./codec.ts";
import { concealLoss } from "./conceal.ts";
import { JitterEstimate } from "./jitter_estimate.ts";

/** A frame as it arrived: the part of an `AudioFrame` that a {@linkcode JitterBuffer} looks at. */
export interface ArrivedFrame {
  /** The frame's place in its call and direction; counts up by one. */
  readonly sequenceNumber: number;
  /** The sound. It is kept, not copied: do not overwrite it afterwards. */
  readonly payload: Uint8Array;
  /** The name of the payload's codec. */
  readonly codec: string;
  /** Whether it is the last frame. Default: `false`. */
  readonly endOfStream?: boolean;
}

/** A frame in its turn: one that arrived, or one made up in place of one that did not. */
export interface PlayoutFrame extends ArrivedFrame {
  /** Whether it is the last frame. */
  readonly endOfStream: boolean;
  /** Whether the frame was lost, and `payload` is what was heard before it, fading out. */
  readonly concealed: boolean;
}

/** Options of a {@linkcode JitterBuffer}. */
export interface JitterBufferOptions {
  /** How long a missing frame is waited for once a later one has arrived, in milliseconds, 0 to 10,000. Default: 60. */
  readonly jitterBufferMs?: number;
  /** How many frames wait at the most, 1 to 4096; one more drops the oldest. Default: 64, more than a second. */
  readonly capacity?: number;
  /**
   * How much of a loss gets stand-ins, in milliseconds, 0 to 10,000; the rest of a longer one is skipped. Default: 60, within which
   * they fade to silence.
   */
  readonly concealMs?: number;
}

/** What a {@linkcode JitterBuffer} has seen so far. */
export interface JitterStatistics {
  /** Frames that arrived: every one, also those that were dropped. */
  readonly received: number;
  /** Frames that were given up when their turn came. */
  readonly lost: number;
  /** Frames that arrived after their turn, most of them given up by then. */
  readonly late: number;
  /** Frames that arrived again. */
  readonly duplicated: number;
  /** Frames that arrived and were dropped: more than `capacity` waited, or their number did not belong to the stream. */
  readonly dropped: number;
  /** Lost frames for which a stand-in was given. */
  readonly concealed: number;
  /** The interarrival jitter in milliseconds (RFC 3550 section 6.4.1). A frame more than 200 ms late is taken for the first after a pause. */
  readonly jitterMs: number;
}

// RFC 3550 appendix A.1: a number this far ahead, or this far back, is not taken for a loss or a latecomer. Two such numbers in
// sequence mean that the sender has started again.
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 128;

interface WaitingFrame {
  readonly frame: ArrivedFrame;
  readonly arrivalMs: number;
}

/**
 * Gives the frames of one stream in order. What arrives in order is given at once; a missing frame is waited for, at most
 * `jitterBufferMs` from the moment when a later one showed that it is missing, and then replaced by what was heard before it, fading out
 * within 60 ms. Frames that come too late or twice are dropped and counted.
 *
 * It has no clock: the caller says what time it is, in milliseconds that never go back, and asks again at {@linkcode JitterBuffer.dueMs}.
 *
 * @example Take frames out as they become ready
 * ```ts
 * import { JitterBuffer } from "@telequick/sdk/audio";
 *
 * const buffer = new JitterBuffer({ jitterBufferMs: 60 });
 * const payload = new Uint8Array(160).fill(0xff);
 * buffer.push({ sequenceNumber: 0, payload, codec: "PCMU" }, 0);
 * buffer.push({ sequenceNumber: 2, payload, codec: "PCMU" }, 20);
 * buffer.pop(20); // frame 0
 * buffer.pop(20); // undefined: frame 1 is waited for until 80
 * buffer.pop(80); // a stand-in for frame 1
 * buffer.pop(80); // frame 2
 * ```
 */
export class JitterBuffer {
  readonly #jitterBufferMs: number;
  readonly #capacity: number;
  // A longer loss is skipped: a gap in the numbers costs the sender nothing, so it must not cost much here either.
  readonly #maxConcealed: number;
  // Ordered by number, no number twice, none before #next.
  #waiting: WaitingFrame[] = [];
  // The number whose turn it is; undefined until the first frame has been given.
  #next: number | undefined;
  // Whether each of the last MAX_MISORDER numbers before #next has arrived, by number modulo MAX_MISORDER.
  readonly #arrived: boolean[] = new Array<boolean>(MAX_MISORDER).fill(false);
  #lastGiven: ArrivedFrame | undefined;
  #lossRun = 0;
  readonly #lastArrival = { sequenceNumber: 0, dueMs: 0, durationMs: 0 };
  readonly #jitter = new JitterEstimate();
  // The number that would confirm that the sender has started again.
  #restart: number | undefined;
  readonly #count = { received: 0, lost: 0, late: 0, duplicated: 0, dropped: 0, concealed: 0 };

  /**
   * Makes an empty buffer.
   *
   * @throws {TypeError} when an option is not a number.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` when an option is out of its range.
   */
  constructor(options: JitterBufferOptions = {}) {
    const { jitterBufferMs = 60, capacity = 64, concealMs = 60 } = options;
    const action = "make a jitter buffer";
    checkNumber(action, "jitterBufferMs", jitterBufferMs, { min: 0, max: 10_000 });
    checkNumber(action, "capacity", capacity, { min: 1, max: 4096, integer: true });
    checkNumber(action, "concealMs", concealMs, { min: 0, max: 10_000 });
    this.#jitterBufferMs = jitterBufferMs;
    this.#capacity = capacity;
    this.#maxConcealed = Math.ceil(concealMs / frameMilliseconds);
  }

  /** How many frames wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** What has been seen so far, as it is now. */
  get statistics(): JitterStatistics {
    return { ...this.#count, jitterMs: this.#jitter.jitterMs };
  }

  /** When `pop` will give a frame if nothing arrives before: a time in the past when one is ready, `undefined` when none waits. */
  get dueMs(): number | undefined {
    const head = this.#waiting[0];
    if (head === undefined) return undefined;
    if (head.frame.sequenceNumber === this.#next || this.#waiting.length === this.#capacity) {
      return head.arrivalMs;
    }
    let missingSinceMs = Infinity;
    for (const { arrivalMs } of this.#waiting) missingSinceMs = Math.min(missingSinceMs, arrivalMs);
    return missingSinceMs + this.#jitterBufferMs;
  }

  /**
   * Takes a frame in.
   *
   * @param frame The frame, in the order of arrival.
   * @param arrivalMs When it arrived, in milliseconds.
   * @returns Whether it will be given in its turn; `false` when it came too late or twice, or its number does not belong to the stream.
   * @throws {TypeError} when a part of the frame, or the time, is not of its type.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` when the time is not finite.
   */
  push(frame: ArrivedFrame, arrivalMs: number): boolean {
    checkFrame(frame, arrivalMs);
    const { sequenceNumber } = frame;
    this.#count.received++;
    if (!this.#belongs(sequenceNumber)) {
      this.#count.dropped++;
      return false;
    }
    const place = this.#placeOf(sequenceNumber);
    const past = this.#next !== undefined && sequenceNumber < this.#next;
    const known = past
      ? this.#arrived[sequenceNumber % MAX_MISORDER]
      : this.#waiting[place]?.frame.sequenceNumber === sequenceNumber;
    if (known) {
      this.#count.duplicated++;
      return false;
    }
    this.#measure(frame, arrivalMs);
    if (past) {
      this.#count.late++;
      this.#arrived[sequenceNumber % MAX_MISORDER] = true;
      return false;
    }
    const waiting = { frame, arrivalMs };
    if (place + 1 === this.#waiting.length) this.#waiting.push(waiting);
    else this.#waiting.splice(place + 1, 0, waiting);
    if (sequenceNumber === 0) this.#next ??= 0;
    if (this.#waiting.length > this.#capacity) this.#dropOldest();
    return this.#next === undefined || sequenceNumber >= this.#next;
  }

  /**
   * Gives the next frame of the stream, or its stand-in; `undefined` when no frame waits, or a missing one is still waited for.
   *
   * @param nowMs What time it is, on the clock of `push`, in milliseconds. `Infinity` waits for nothing: the way to empty the buffer
   * when the stream is over.
   * @throws {TypeError} when the time is not a number.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` when it is `NaN`.
   */
  pop(nowMs: number): PlayoutFrame | undefined {
    checkNumber("give a frame", "nowMs", nowMs, anyNumber);
    const due = this.dueMs;
    if (due === undefined || nowMs < due) return undefined;
    const { frame } = this.#waiting[0]!;
    const missing = this.#missingBefore(frame);
    if (missing > 0) {
      const standIn = this.#conceal();
      this.#pass(standIn === undefined ? missing : 1, false);
      if (standIn !== undefined) return standIn;
    }
    this.#waiting.shift();
    this.#pass(1, true);
    this.#lastGiven = frame;
    this.#lossRun = 0;
    const { sequenceNumber, payload, codec, endOfStream = false } = frame;
    return { sequenceNumber, payload, codec, endOfStream, concealed: false };
  }

  /** Gives up what is missing before the first frame that waits, without stand-ins: its time has passed. */
  skipMissing(): void {
    const head = this.#waiting[0];
    if (head === undefined) return;
    this.#pass(this.#missingBefore(head.frame), false);
  }

  /** The place of the last waiting frame that has this number or a lower one; -1 for none. */
  #placeOf(sequenceNumber: number): number {
    const waiting = this.#waiting;
    let place = waiting.length - 1;
    while (place >= 0 && waiting[place]!.frame.sequenceNumber > sequenceNumber) place--;
    return place;
  }

  /** How many frames are missing before the first that waits. The stream begins with that one if none has been given. */
  #missingBefore({ sequenceNumber }: ArrivedFrame): number {
    this.#next ??= sequenceNumber;
    return sequenceNumber - this.#next;
  }

  #conceal(): PlayoutFrame | undefined {
    const last = this.#lastGiven;
    if (last === undefined || this.#lossRun >= this.#maxConcealed) return undefined;
    const payload = concealLoss(last, this.#lossRun);
    if (payload === undefined) return undefined;
    this.#count.concealed++;
    const { codec } = last;
    return { sequenceNumber: this.#next!, payload, codec, endOfStream: false, concealed: true };
  }

  /** Ends the turn of the next `count` numbers. */
  #pass(count: number, arrived: boolean): void {
    let next = this.#next!;
    for (let i = 0; i < count; i++) this.#arrived[next++ % MAX_MISORDER] = arrived;
    this.#next = next;
    if (arrived) return;
    this.#count.lost += count;
    this.#lossRun += count;
  }

  #dropOldest(): void {
    const { frame } = this.#waiting.shift()!;
    this.#pass(this.#missingBefore(frame), false);
    this.#pass(1, true);
    this.#count.dropped++;
  }

  /** Whether a number can be of the stream, whose start it may be, and follows a sender that has started again. */
  #belongs(sequenceNumber: number): boolean {
    if (!Number.isSafeInteger(sequenceNumber) || sequenceNumber < 0) return false;
    const expected = this.#next ?? this.#waiting[0]?.frame.sequenceNumber ?? sequenceNumber;
    const ahead = sequenceNumber - expected;
    const restarted = sequenceNumber === this.#restart;
    const inRange = ahead < MAX_DROPOUT && ahead >= -MAX_MISORDER;
    this.#restart = inRange ? undefined : sequenceNumber + 1;
    if (restarted && !inRange) this.#startAgain(sequenceNumber);
    return inRange || restarted;
  }

  #startAgain(sequenceNumber: number): void {
    this.#count.dropped += this.#waiting.length;
    this.#waiting = [];
    this.#next = sequenceNumber;
    this.#arrived.fill(false);
    this.#jitter.restart();
    this.#restart = undefined;
  }

  /** RFC 3550 section 6.4.1; a frame's number times its duration stands for the timestamp that frames do not carry. */
  #measure(frame: ArrivedFrame, arrivalMs: number): void {
    const last = this.#lastArrival;
    last.dueMs += (frame.sequenceNumber - last.sequenceNumber) * last.durationMs;
    last.sequenceNumber = frame.sequenceNumber;
    last.durationMs = durationOf(frame);
    this.#jitter.arrived(arrivalMs, last.dueMs);
  }
}

function durationOf({ codec, payload }: ArrivedFrame): number {
  if (!isAudioCodec(codec) || payload.length === 0) return frameMilliseconds;
  const { frameBytes } = audioCodecs[codec];
  return payload.length / frameBytes * frameMilliseconds;
}

const anyNumber = { expected: "a number" };
const finiteNumber = {
  ...{ min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
  expected: "a finite number",
};

function checkFrame(frame: ArrivedFrame, arrivalMs: number): void {
  const action = "take in a frame";
  const { sequenceNumber, payload, codec } = frame;
  checkArray(payload, Uint8Array, action);
  if (typeof sequenceNumber !== "number") {
    checkNumber(action, "sequenceNumber", sequenceNumber, anyNumber);
  }
  checkString(action, "codec", codec);
  checkNumber(action, "arrivalMs", arrivalMs, finiteNumber);
}
