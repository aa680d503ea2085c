import { print } from "../support/terminal.ts";
import type { Answer, Loaded, Request } from "./protocol.ts";
import { Runner } from "./runner.ts";

/** What became of a mutant. */
export type Outcome = "killed" | "survived" | "not covered" | "timed out";

type Measurement = Extract<Answer, { readonly covers: unknown }>;
type Verdict = Extract<Answer, { readonly outcome: unknown }>;

interface Measured {
  readonly test: number;
  readonly ms: number;
  readonly covers: Measurement["covers"];
}

const SLOW_MS = 3_000;
/** How long the tests of one mutant take at most: what outlives them survives. */
const BUDGET_MS = 3_000;
/** Property tests run 40 cases, from one seed. */
const environment = { RUNS: "40", SEED: "1" };

/** What runs the mutants of one room. */
export class Judge {
  readonly #folder: string;
  readonly #files: readonly string[];
  #worker: Runner | undefined;
  #isFresh = true;
  #names: readonly string[] = [];
  #onLoad: Loaded["static"] = {};
  #tests: readonly Measured[] = [];

  constructor(folder: string, files: readonly string[]) {
    this.#folder = folder;
    this.#files = files;
  }

  /** Runs each test twice without a mutant. Leaves out what is slow, and what does not pass a second time. */
  async measure(): Promise<void> {
    const worker = await this.#start();
    const { names, static: onLoad } = worker.loaded;
    this.#names = names;
    this.#onLoad = onLoad;
    const tests: Measured[] = [];
    for (const [test, name] of names.entries()) {
      const request: Request = { kind: "measure", test, limitMs: 60_000 };
      const first = await worker.ask(request, 90_000) as Measurement | undefined;
      if (first === undefined) throw new Error(`${name} does not end without a mutant`);
      const isSlow = first.ms > SLOW_MS;
      const second = isSlow || first.fault !== undefined
        ? first
        : await worker.ask(request, 90_000) as Measurement | undefined;
      if (second === undefined) throw new Error(`${name} does not end a second time`);
      if (second.fault !== undefined) print(`  left out: ${name}: ${second.fault.slice(0, 100)}`);
      else if (isSlow) print(`  left out: ${name}: ${Math.round(first.ms)} ms`);
      else tests.push({ test, ms: Math.max(second.ms, 1), covers: first.covers });
    }
    this.#tests = tests.sort((a, b) => a.ms - b.ms);
    await worker.end();
  }

  async judge(id: string): Promise<Outcome> {
    const covering = this.#tests.filter(({ covers }) => covers[id] !== undefined);
    const isStatic = this.#onLoad?.[id] !== undefined;
    let outcome: Outcome = "not covered";
    if (covering.length > 0) outcome = await this.#judge(id, covering);
    if (!isStatic || outcome === "killed" || outcome === "timed out") return outcome;
    return await this.#judgeOnLoad(id);
  }

  async close(): Promise<void> {
    await this.#worker?.end();
    this.#worker = undefined;
  }

  async #start(): Promise<Runner> {
    this.#isFresh = true;
    return await Runner.start(this.#folder, this.#files, environment);
  }

  async #judge(id: string, covering: readonly Measured[]): Promise<Outcome> {
    for (let attempt = 0; attempt < 2; attempt++) {
      this.#worker ??= await this.#start();
      const outcome = await this.#ask(this.#worker, id, covering, this.#isFresh);
      this.#isFresh = false;
      if (outcome === "timed out" || outcome === "unsure") await this.close();
      if (outcome !== "unsure") return outcome;
    }
    return "survived";
  }

  /** Judges what loading the sources executes: with the mutant from the start, all tests. */
  async #judgeOnLoad(id: string): Promise<Outcome> {
    let worker: Runner;
    try {
      worker = await Runner.start(this.#folder, this.#files, { ...environment, MUTANT: id });
    } catch {
      return "killed";
    }
    const places = new Map(worker.loaded.names.map((name, i) => [name, i]));
    const tests = this.#tests.flatMap((each) => {
      const test = places.get(this.#names[each.test]!);
      return test === undefined ? [] : [{ ...each, test }];
    });
    const outcome = await this.#ask(worker, id, tests, true);
    await worker.end();
    return outcome === "unsure" ? "survived" : outcome;
  }

  async #ask(worker: Runner, mutant: string, covering: readonly Measured[], isFresh: boolean) {
    let spent = 0;
    const tests = covering.filter(({ ms }) => (spent += ms) < BUDGET_MS)
      .map(({ test, ms }) => ({ test, limitMs: 3_000 + 5 * ms }));
    const hits = Math.max(...covering.map(({ covers }) => covers[mutant] ?? 0));
    const hitLimit = 10_000 + 100 * hits;
    const limitMs = 20_000 + 5 * Math.min(spent, BUDGET_MS);
    const request: Request = { kind: "judge", mutant, tests, hitLimit, isFresh };
    const answer = await worker.ask(request, limitMs) as Verdict | undefined;
    return answer?.outcome ?? "timed out";
  }
}
