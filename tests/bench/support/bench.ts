/**
 * Side-by-side benches: the same work done by ours, by peers and by a hand-written floor, in one run.
 *
 * @module
 */

import process from "node:process";

/** One piece of work, and who does it. */
export interface Bench {
  /** What is done, such as `AudioFrame, encode into a fresh buffer`. */
  readonly name: string;
  /** The contender that is ours, against which all ratios are taken. */
  readonly baseline: string;
  /** Every contender by name; each does the work once per call and returns something of it. */
  readonly contenders: Readonly<Record<string, () => unknown>>;
  /** How many times as fast as a contender ours is to be at the least. Default: no targets. */
  readonly targets?: Readonly<Record<string, number>>;
  /** How many megabytes a second ours is to work through at the least. Default: no target. */
  readonly targetMegabytesPerSecond?: number;
  /** How many bytes one call works through, for a column in MB/s. Default: none. */
  readonly bytes?: number;
}

/** What came of one contender. */
export interface Row {
  /** The contender. */
  readonly contender: string;
  /** Median CPU time of one call, in nanoseconds. */
  readonly nanoseconds: number;
  /** Median over the rounds of this contender's time divided by ours in the same round: how many times as fast ours is. */
  readonly ratio: number;
  /** What one second of CPU time works through, in megabytes, where the bench says how many bytes a call has. */
  readonly megabytesPerSecond: number | undefined;
  /** The least that was asked for: of ours in MB/s, of the others the ratio. */
  readonly target: number | undefined;
  /** What the target is held against. */
  readonly reached: number;
}

/** Whether a target was missed. */
export function isMissed({ target, reached }: Row): boolean {
  return target !== undefined && reached < target;
}

/** How long benches take. */
export interface MeasureOptions {
  /** Interleaved rounds, of which the median counts. Default: 7. */
  readonly rounds?: number;
  /** CPU time of each contender in each round, in milliseconds. Default: 40. */
  readonly sampleMs?: number;
}

const registered: Bench[] = [];

/** Registers a bench; `scripts/bench.ts` runs it. */
export function bench(bench: Bench): void {
  registered.push(bench);
}

/** Every bench that was registered. */
export function benches(): readonly Bench[] {
  return registered;
}

/** Runs a bench: all contenders in turn, in an order that changes with the round. */
export function measure(bench: Bench, options: MeasureOptions = {}): readonly Row[] {
  const { rounds = 7, sampleMs = 40 } = options;
  const entries = Object.entries(bench.contenders);
  const counts = entries.map(([, work]) => calibrate(work, sampleMs));
  const samples: number[][] = entries.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const i = (round + turn) % entries.length;
      samples[i]!.push(cpuNanoseconds(entries[i]![1], counts[i]!) / counts[i]!);
    }
  }
  const ours = samples[entries.findIndex(([name]) => name === bench.baseline)];
  if (ours === undefined) throw new TypeError(`No contender is called ${bench.baseline}`);
  return entries.map(([contender], i) => {
    const nanoseconds = median(samples[i]!);
    const ratio = median(samples[i]!.map((sample, round) => sample / ours[round]!));
    const megabytesPerSecond = bench.bytes && bench.bytes * 1e3 / nanoseconds;
    const isOurs = contender === bench.baseline;
    return {
      contender,
      nanoseconds,
      ratio,
      megabytesPerSecond,
      target: isOurs ? bench.targetMegabytesPerSecond : bench.targets?.[contender],
      reached: isOurs ? megabytesPerSecond ?? 0 : ratio,
    };
  });
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** How many calls take one sample's time, after as many to warm up. */
function calibrate(work: () => unknown, sampleMs: number): number {
  let count = 1;
  while (true) {
    const taken = cpuNanoseconds(work, count) / 1e6;
    if (taken >= sampleMs) return Math.max(1, Math.round(count * sampleMs / taken));
    count = taken < sampleMs / 20 ? count * 4 : Math.ceil(count * sampleMs / taken * 1.1);
  }
}

// What the work returned last: never read, but no compiler can know.
let kept: unknown;

/** CPU time of the process for `count` calls: what other processes do meanwhile does not count. */
function cpuNanoseconds(work: () => unknown, count: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) kept = work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) * 1000;
}

/** The last result of the last work. */
export function lastResult(): unknown {
  return kept;
}
