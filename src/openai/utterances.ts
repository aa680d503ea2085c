/**
 * What a model says, item by item: handed over to the call as it is generated, and how much of each was heard.
 *
 * @module
 */

import type { AudioLink, Playback } from "../client/mod.ts";

/** Which part of which answer a piece of audio belongs to. */
export interface UtteranceKey {
  readonly responseId: string;
  readonly itemId: string;
  readonly contentIndex: number;
}

/** A model's audio that was cut. */
export interface CutUtterance extends UtteranceKey {
  /** How much of it was heard, in whole milliseconds. */
  readonly playedMs: number;
}

/** A source of chunks that are pushed into it. */
class Pushed implements AsyncIterableIterator<Uint8Array | Int16Array> {
  readonly #chunks: (Uint8Array | Int16Array)[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  push(chunk: Uint8Array | Int16Array): void {
    this.#chunks.push(chunk);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async next(): Promise<IteratorResult<Uint8Array | Int16Array>> {
    while (this.#chunks.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const value = this.#chunks.shift();
    return value === undefined ? { value, done: true } : { value, done: false };
  }

  return(): Promise<IteratorResult<Uint8Array | Int16Array>> {
    this.#chunks.length = 0;
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

interface Utterance {
  readonly key: UtteranceKey;
  readonly source: Pushed;
  readonly playback: Playback;
}

/** The utterances of one call that are not played to their end. */
export class Utterances {
  readonly #link: AudioLink;
  readonly #live = new Set<Utterance>();

  constructor(link: AudioLink) {
    this.#link = link;
  }

  /** Whether anything waits to be heard. */
  get isEmpty(): boolean {
    return this.#live.size === 0;
  }

  /** Adds audio to an utterance, which begins with its first chunk. */
  push(key: UtteranceKey, chunk: Uint8Array | Int16Array): void {
    (this.#find(key) ?? this.#begin(key)).source.push(chunk);
  }

  /** An utterance is complete: it ends when it has been played. */
  close(key: UtteranceKey): void {
    this.#find(key)?.source.close();
  }

  /** Drops everything that was not heard, here and at the gateway. Returns what was cut, in the order of speaking. */
  cut(): readonly CutUtterance[] {
    const cut = [...this.#live].map(({ key, playback }) => ({
      ...key,
      playedMs: Math.floor(playback.playedMs),
    }));
    this.drop();
    void this.#link.clear();
    return cut;
  }

  /** Forgets all utterances: nothing more is played. */
  drop(): void {
    const live = [...this.#live];
    this.#live.clear();
    for (const { playback, source } of live) {
      source.close();
      playback.stop();
    }
  }

  #find({ responseId, itemId, contentIndex }: UtteranceKey): Utterance | undefined {
    for (const utterance of this.#live) {
      const { key } = utterance;
      const isSame = key.responseId === responseId && key.itemId === itemId &&
        key.contentIndex === contentIndex;
      if (isSame) return utterance;
    }
    return undefined;
  }

  #begin(key: UtteranceKey): Utterance {
    const source = new Pushed();
    const playback = this.#link.play(source, { id: `${key.itemId}:${key.contentIndex}` });
    const utterance = { key, source, playback };
    this.#live.add(utterance);
    const forget = (): void => void this.#live.delete(utterance);
    playback.finished.then(forget, forget);
    return utterance;
  }
}
