/**
 * Benches that wait: sessions, calls, gateways. Each measures ours and what it is held against in one run, in turns.
 *
 * @module
 */

import process from "node:process";

/** One number of a scenario. */
export interface Figure {
  /** What was measured. */
  readonly what: string;
  /** How much it came to. */
  readonly value: number;
  /** Its unit; `"x"` for ratios. */
  readonly unit: string;
  /** What it may not exceed. Default: no such target. */
  readonly atMost?: number;
  /** What it must reach. Default: no such target. */
  readonly atLeast?: number;
}

/** How long a run may take. */
export interface ScenarioOptions {
  /** Whether to measure at the sizes of the targets, however long it takes; else at sizes that end in seconds. */
  readonly full: boolean;
}

/** A bench that waits. */
export interface Scenario {
  /** What is measured, such as `RPC round trip`. */
  readonly name: string;
  /** Whether it is only run with `--full`. Default: `false`. */
  readonly fullOnly?: boolean;
  /** Measures. Closes everything that it opened. */
  readonly run: (options: ScenarioOptions) => Promise<readonly Figure[]>;
}

const registered: Scenario[] = [];

/** Registers a scenario; `scripts/bench.ts` runs it. */
export function scenario(scenario: Scenario): void {
  registered.push(scenario);
}

/** Every scenario that was registered. */
export function scenarios(): readonly Scenario[] {
  return registered;
}

/** Whether a figure misses its target. What could not be measured does. */
export function misses({ value, atMost = Infinity, atLeast = -Infinity }: Figure): boolean {
  return !(value <= atMost && value >= atLeast);
}

/** The number below which `share` of some numbers lie, such as 0.99. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Milliseconds since some fixed moment. */
export function now(): number {
  return performance.now();
}

/** CPU time of this process so far, all of its threads, in microseconds. */
export function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Does `work` `count` times, `width` at a time. */
export async function repeat(
  count: number,
  width: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) await work(next++);
  }));
}

/** How many milliseconds `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = now();
  await work();
  return now() - startedAt;
}

/** Medians of one piece of work, in microseconds. */
export interface Cost {
  /** On the clock. */
  readonly wall: number;
  /** Of this process's CPU, all threads. */
  readonly cpu: number;
}

/** How two pieces of work are compared. */
export interface CompareOptions {
  /** How often each is done in its turn. */
  readonly count: number;
  /** How many of those at a time. */
  readonly width: number;
  /** How many turns each has: short ones, so that other load of the machine meets both. */
  readonly rounds: number;
}

/** Does two pieces of work in turns, and gives the medians of both. */
export async function compare(
  ours: () => Promise<unknown>,
  floor: () => Promise<unknown>,
  { count, width, rounds }: CompareOptions,
): Promise<{ readonly ours: Cost; readonly floor: Cost }> {
  const works = [ours, floor];
  const costs: Cost[][] = [[], []];
  for (let round = -Math.ceil(rounds / 10); round < rounds; round++) {
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const cpu = cpuMicroseconds();
      const wall = await timed(() => repeat(count, width, works[i]!)) * 1e3 / count;
      // What comes before the first round is for the compiler to learn from.
      if (round >= 0) costs[i]!.push({ wall, cpu: (cpuMicroseconds() - cpu) / count });
    }
  }
  const medians = (own: readonly Cost[]): Cost => ({
    wall: percentile(own.map(({ wall }) => wall), 0.5),
    cpu: percentile(own.map(({ cpu }) => cpu), 0.5),
  });
  return { ours: medians(costs[0]!), floor: medians(costs[1]!) };
}
