/**
 * When a worker of a fleet answers, and which of the calls that wait: workers do not know of each other, so each decides alone.
 *
 * @module
 */

/** What a worker has in hand, and what it can have. */
export interface WorkerLoad {
  /** Calls in hand. */
  readonly active: number;
  /** The most calls at once. */
  readonly capacity: number;
}

// What a worker waits besides, when its last place is the only free one.
const LOAD_MS = 200;
// Workers of equal load wait a random time within this many round trips: an answer is seen by the others one round trip later.
const SPREAD_ROUND_TRIPS = 16;
const SHORTEST_SPREAD_MS = 40;
const LONGEST_SPREAD_MS = 400;
// The random times are made for up to about 2^6 workers of equal load.
const MOST_EQUALS_LOG2 = 6;
// Among more calls than these workers seldom choose the same one: their random times are shorter.
const FEW_CALLS = 8;
// One of this many calls, the oldest, is taken at random; where there are more, one of the older half.
const FEWEST_CANDIDATES = 32;
const CALLS_PER_PICK = 64;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;
const FIRST_HOLD_BACK_MS = 1_000;
const LONGEST_HOLD_BACK_MS = 30_000;

/**
 * How long a worker waits before it answers, in milliseconds: in proportion to its load, and by lot among workers of equal load.
 *
 * The lots are few at the beginning of the spread and many at its end (a truncated exponential distribution, as sensor networks use to
 * share a channel among an unknown number of stations): however many workers there are, the first is mostly alone.
 *
 * @param load The worker's own.
 * @param roundTripMs How long a request takes.
 * @param waiting How many calls wait.
 * @param lot What the worker drew for the call, from 0 up to 1.
 */
export function answerDelayMs(
  { active, capacity }: WorkerLoad,
  roundTripMs: number,
  waiting: number,
  lot: number,
): number {
  const spreadMs = Math.min(
    Math.max(SPREAD_ROUND_TRIPS * roundTripMs, SHORTEST_SPREAD_MS),
    LONGEST_SPREAD_MS,
  );
  const late = Math.log2(1 + lot * (2 ** MOST_EQUALS_LOG2 - 1)) / MOST_EQUALS_LOG2;
  const crowd = Math.max(1, waiting / FEW_CALLS);
  return LOAD_MS * active / capacity + spreadMs * late / crowd;
}

/** How many calls are answered by one list of those that wait: a list of hundreds is long, and goes out of date slowly. */
export function picksOf(waiting: number): number {
  return 1 + Math.floor(waiting / CALLS_PER_PICK);
}

/** Chooses one of several calls, the oldest first in the list: any of the older ones, so that workers seldom choose the same. */
export function chooseCall<T>(waiting: readonly T[], random: () => number): T | undefined {
  const half = Math.ceil(waiting.length / 2);
  const candidates = Math.min(waiting.length, Math.max(FEWEST_CANDIDATES, half));
  return waiting[Math.floor(random() * candidates)];
}

/** How long a worker waits after its request failed, in milliseconds: twice as long each time, from half to all of it. */
export function retryDelayMs(failures: number, random: () => number): number {
  return doubling(FIRST_RETRY_MS, LONGEST_RETRY_MS, failures) * (1 + random()) / 2;
}

/** How long a call is left alone that waits although its answer was refused, in milliseconds. */
export function holdBackMs(refusals: number): number {
  return doubling(FIRST_HOLD_BACK_MS, LONGEST_HOLD_BACK_MS, refusals);
}

function doubling(firstMs: number, longestMs: number, times: number): number {
  return Math.min(firstMs * 2 ** Math.min(times, 16), longestMs);
}
