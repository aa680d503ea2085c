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

/** Both directions of a call's audio, as far as a talker needs them. */
export interface TalkLink {
  readonly readable: ReadableStream<{ readonly payload: Uint8Array }>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Calls `tick` fifty times a second, on a schedule that does not drift; late ones follow at once. */
export async function pace(seconds: number, tick: () => void): Promise<void> {
  const startedAt = now();
  for (let slot = 0; slot < seconds * FRAMES_PER_SECOND; slot++) {
    const wait = startedAt + slot * 1e3 / FRAMES_PER_SECOND - now();
    if (wait > 0) await pause(Math.ceil(wait));
    tick();
  }
}

/** Writes numbered frames to a call, and times their way back. */
export class Talker {
  /** How long each frame was under way that was heard so far, in milliseconds. */
  readonly trips: number[] = [];
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #writtenAt: number[] = [];

  constructor(link: TalkLink) {
    this.#writer = link.writable.getWriter();
    void this.#listen(link);
  }

  /** How many frames did not come back. */
  get missing(): number {
    return this.#writtenAt.length - this.trips.length;
  }

  /** Writes a frame. */
  speak(): void {
    const number = this.#writtenAt.length;
    const chunk = new Uint8Array(PAYLOAD_BYTES);
    new DataView(chunk.buffer).setUint32(0, number);
    this.#writtenAt.push(now());
    this.#writer.write(chunk).catch(() => {});
  }

  async #listen({ readable }: TalkLink): Promise<void> {
    for await (const { payload } of readable) {
      if (payload.length < 4) continue;
      const number = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
      this.trips.push(now() - this.#writtenAt[number]!);
    }
  }
}

/** Talkers that speak in one turn. */
export class Talkers {
  readonly #all: readonly Talker[];

  constructor(links: readonly TalkLink[]) {
    this.#all = links.map((link) => new Talker(link));
  }

  /** How many frames did not come back. */
  get missing(): number {
    return this.#all.reduce((sum, { missing }) => sum + missing, 0);
  }

  /** How long the frames were under way that came back, in milliseconds; without the first so many of each. */
  trips(skip: number): number[] {
    return this.#all.flatMap(({ trips }) => trips.slice(skip));
  }

  /** Each writes a frame. */
  speak(): void {
    for (const talker of this.#all) talker.speak();
  }

  /** Waits for what is still under way. A machine that is too busy plays late: what still arrives is not lost. */
  async heard(): Promise<void> {
    for (let before = Infinity; this.missing > 0 && this.missing < before;) {
      before = this.missing;
      await pause(2_000);
    }
  }
}
