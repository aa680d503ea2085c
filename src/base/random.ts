/**
 * Seeded randomness: the same seed gives the same numbers.
 *
 * @module
 */

/** Numbers in [0, 1), the same ones for the same seed (Mulberry32). */
export type Random = () => number;

/** Makes a generator from a seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed that belongs to a name: FNV-1a over its code units, begun with another seed. */
export function deriveSeed(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}

/** A version 4 UUID (RFC 9562 section 5.4) from a generator. An id, never a secret. */
export function randomUuid(random: Random): string {
  let hex = "";
  for (let i = 0; i < 32; i++) {
    const digit = Math.floor(random() * 16);
    hex += (i === 12 ? 4 : i === 16 ? 8 | (digit & 3) : digit).toString(16);
  }
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
