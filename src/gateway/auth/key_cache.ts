/**
 * Imported keys: made when a token asks for them, and the least recently used dropped. An import costs more than a look-up by far, and most keys
 * of a large registry are never used between two restarts.
 *
 * @module
 */

import { Recent } from "../../base/recent.ts";
import { importModulus } from "../../credentials/mod.ts";

/** Keys in memory at most, at about 5 KB each. */
const CAPACITY = 10_000;

/** Imported keys by their modulus. */
export class KeyCache {
  readonly #known = new Recent<CryptoKey | Promise<CryptoKey>>(CAPACITY);
  readonly #unknown = new Recent<Promise<CryptoKey>>(CAPACITY);

  /** A key. At once where it is here already. Rejects when its modulus is damaged. */
  get(modulus: string): CryptoKey | Promise<CryptoKey> {
    const found = this.#known.get(modulus);
    if (found !== undefined) return found;
    const importing = importModulus(modulus);
    this.#known.set(modulus, importing);
    importing.then(
      (key) => this.#known.replace(modulus, key),
      () => this.#known.delete(modulus),
    );
    return importing;
  }

  /** Adds a key that was imported already. */
  set(modulus: string, key: CryptoKey): void {
    this.#known.set(modulus, key);
  }

  /** Forgets a key. */
  delete(modulus: string): void {
    this.#known.delete(modulus);
  }

  /** Spends on a name that stands for no key what the first use of one costs, so that the time of the answer does not show which names exist. */
  async pretend(name: string): Promise<void> {
    let importing = this.#unknown.get(name);
    if (importing === undefined) {
      importing = importModulus(UNUSED_MODULUS);
      this.#unknown.set(name, importing);
    }
    await importing;
  }
}

// In base64url an odd number of 2048 bits with its top bit set.
const UNUSED_MODULUS = `${"x".repeat(341)}Q`;
