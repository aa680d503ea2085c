/**
 * Both directions of a call, while it has faults or had some.
 *
 * @module
 */

import { ignore } from "../../../base/ignore.ts";
import { createRandom, deriveSeed } from "../../../base/random.ts";
import type { Clock } from "../../../base/signal.ts";
import type { Faults } from "./faults.ts";
import { FaultyLine } from "./faulty_line.ts";

/** Options of {@linkcode FaultyLines}. */
export interface FaultyLinesOptions {
  readonly clock: Clock;
  /** The call's own seed. */
  readonly seed: () => number;
  /** The faults that are set for the call. */
  readonly faults: () => Faults | undefined;
  /** Called when a packet to the client was lost. One of the client's is missed where the next one arrives. */
  readonly onLost: () => void;
}

/** The lines of one call, made when it first has faults. Each direction is made by its first packet. */
export class FaultyLines {
  readonly #options: FaultyLinesOptions;
  #toFarEnd: FaultyLine | undefined;
  #toClient: FaultyLine | undefined;

  constructor(options: FaultyLinesOptions) {
    this.#options = options;
  }

  /** Takes a packet of the client's: `arrive` is called as the faults have it. */
  toFarEnd(payload: Uint8Array, arrive: (payload: Uint8Array) => void): void {
    this.#toFarEnd ??= this.#line("up", ignore);
    // Its memory is used again for the next packet.
    const kept = payload.slice();
    this.#toFarEnd.push(() => arrive(kept), this.#options.faults());
  }

  /** Takes a packet for the client: `deliver` is called as the faults have it. */
  toClient(deliver: () => void): void {
    this.#toClient ??= this.#line("down", this.#options.onLost);
    this.#toClient.push(deliver, this.#options.faults());
  }

  /** Drops what is on its way to the client. */
  hush(): void {
    this.#toClient?.clear();
  }

  /** The call ends: what is on its way to the client arrives before its end, and nothing of the client's after it. */
  end(): void {
    this.#toFarEnd?.clear();
    this.#toClient?.flush();
  }

  /** Drops everything. */
  clear(): void {
    this.#toFarEnd?.clear();
    this.#toClient?.clear();
  }

  #line(direction: string, onLost: () => void): FaultyLine {
    const { clock, seed } = this.#options;
    const random = createRandom(deriveSeed(seed(), direction));
    return new FaultyLine({ clock, random, onLost });
  }
}
