/**
 * What sends audio through a call in a bench, and listens to what comes back.
 *
 * @module
 */

import { now, pause } from "./scenario.ts";

/** Frames that a call sends in a second. */
export const FRAMES_PER_SECOND = 50;
/** Bytes of 20 ms of PCMU. */
export const PAYLOAD_BYTES = 160;

/** Both directions of a call's audio as streams, as far as a talker needs them. */
export interface TalkLink {
  readonly readable: ReadableStream<{ readonly payload: Uint8Array }>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Both directions without streams. */
export interface TalkPort {
  /** Whether `send` has copied the payload when it returns. */
  readonly copies: boolean;
  /** Sends a frame's payload. */
  send(payload: Uint8Array): void;
  /** Calls `take` with the payload of each frame that comes back. */
  listen(take: (payload: Uint8Array) => void): void;
}

/**
 * Calls `tick` fifty times a second, on a schedule that does not drift; late ones follow at once. Ends with the last slot: one that
 * begins then adds no frame to those that wait.
 */
export async function pace(seconds: number, tick: () => void): Promise<void> {
  const startedAt = now();
  const slots = seconds * FRAMES_PER_SECOND;
  for (let slot = 0; slot <= slots; slot++) {
    const wait = startedAt + slot * 1e3 / FRAMES_PER_SECOND - now();
    if (wait > 0) await pause(Math.ceil(wait));
    if (slot < slots) tick();
  }
}

/** A port that hears at once what it sends: what a program costs that talks, and nothing else. */
export function loopback(): TalkPort {
  let hear: (payload: Uint8Array) => void = () => {};
  return {
    copies: true,
    send: (payload) => hear(payload),
    listen: (take) => void (hear = take),
  };
}

/** The streams of a link as a port: what a program does that uses them. */
export function portOf({ readable, writable }: TalkLink): TalkPort {
  const writer = writable.getWriter();
  return {
    copies: false,
    send: (payload) => void writer.write(payload).catch(() => {}),
    listen: (take) => {
      void (async () => {
        for await (const { payload } of readable) take(payload);
      })();
    },
  };
}

// Chunks are used again, since making one costs as much as sending it; where they are not copied at once, the first has left when the
// last is written.
const CHUNKS = 16;

/** Writes numbered frames to a call, and times their way back. */
export class Talker {
  /** How long each frame was under way that was heard while it was timed, in milliseconds. */
  readonly trips: number[] = [];
  /** Whether frames are timed: looking at the clock is a fair part of what a frame costs, and so is noting what it says. */
  isTimed = true;
  readonly #port: TalkPort;
  readonly #chunks: readonly Uint8Array[];
  // Of the frames that were timed when they were written.
  readonly #writtenAt: (number | undefined)[] = [];
  #written = 0;
  #heard = 0;

  constructor(port: TalkPort) {
    this.#port = port;
    const length = port.copies ? 1 : CHUNKS;
    this.#chunks = Array.from({ length }, () => new Uint8Array(PAYLOAD_BYTES));
    port.listen((payload) => this.#hear(payload));
  }

  /** How many frames did not come back. */
  get missing(): number {
    return this.#written - this.#heard;
  }

  /** Writes a frame, at `now`. */
  speak(now: number): void {
    const number = this.#written++;
    const chunk = this.#chunks[number % this.#chunks.length]!;
    writeNumber(chunk, number);
    if (this.isTimed) this.#writtenAt[number] = now;
    this.#port.send(chunk);
  }

  #hear(payload: Uint8Array): void {
    if (payload.length < 4) return;
    this.#heard++;
    if (!this.isTimed) return;
    const writtenAt = this.#writtenAt[readNumber(payload)];
    if (writtenAt !== undefined) this.trips.push(now() - writtenAt);
  }
}

function writeNumber(bytes: Uint8Array, number: number): void {
  for (let i = 0; i < 4; i++) bytes[i] = number >>> 8 * i;
}

function readNumber(bytes: Uint8Array): number {
  return bytes[0]! + (bytes[1]! << 8) + (bytes[2]! << 16) + (bytes[3]! << 24);
}

/** Talkers that speak in one turn. */
export class Talkers {
  readonly #all: readonly Talker[];

  constructor(ports: readonly TalkPort[]) {
    this.#all = ports.map((port) => new Talker(port));
  }

  /** How many frames did not come back. */
  get missing(): number {
    return this.#all.reduce((sum, { missing }) => sum + missing, 0);
  }

  /** How long the frames were under way that came back, in milliseconds; without the first so many of each. */
  trips(skip: number): number[] {
    return this.#all.flatMap(({ trips }) => trips.slice(skip));
  }

  /** Whether frames are timed. Default: `true`. */
  set isTimed(isTimed: boolean) {
    for (const talker of this.#all) talker.isTimed = isTimed;
  }

  /** Each writes a frame. */
  speak(): void {
    const at = now();
    for (const talker of this.#all) talker.speak(at);
  }

  /** Waits for what is still under way. A machine that is too busy plays late: what still arrives is not lost. */
  async heard(): Promise<void> {
    let before = this.missing;
    for (let waitedMs = 0; this.missing > 0 && waitedMs < 2_000; waitedMs += 20) {
      await pause(20);
      if (this.missing < before) waitedMs = 0;
      before = this.missing;
    }
  }
}
