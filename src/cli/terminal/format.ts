/**
 * Times and sizes in words.
 *
 * @module
 */

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A span of time in its two largest units, such as `"2 min 5 s"`; below a second in milliseconds. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  let left = Math.round(ms / 1_000) * 1_000;
  const words: string[] = [];
  for (const [name, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) words.push(`${count} ${name}`);
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.join(" ");
}

/** A moment in UTC, to the second (RFC 3339). */
export function formatInstant(unixMs: number): string {
  // Outside ECMAScript's range of time (a gateway can send anything) the number itself is printed.
  return Math.abs(unixMs) > 8.64e15
    ? `${unixMs}`
    : new Date(unixMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Milliseconds to a tenth. */
export function formatMs(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

/** Bytes in MiB to a tenth. */
export function formatMemory(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** The `p` quantile (0 to 1) of sorted numbers; 0 for an empty list. */
export function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0;
}

/** A count with its noun, such as `"1 call"` or `"2 calls"`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
