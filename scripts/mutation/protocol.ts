/** What the runner asks of a worker. */
export type Request =
  | { readonly kind: "measure"; readonly test: number; readonly limitMs: number }
  | {
    readonly kind: "judge";
    readonly mutant: string;
    /** The tests that execute it, in the order to run them. */
    readonly tests: readonly { readonly test: number; readonly limitMs: number }[];
    /** How often a mutant may execute in one test: ends a loop that does not end. */
    readonly hitLimit: number;
    /** Whether the process ran nothing else before. */
    readonly isFresh: boolean;
  };

/** What it answers. */
export type Answer =
  | {
    readonly fault: string | undefined;
    readonly ms: number;
    /** How often the test executed each mutant. */
    readonly covers: Readonly<Record<string, number>>;
  }
  | {
    /** `"unsure"`: the test failed, yet perhaps because of what ran before it. */
    readonly outcome: "killed" | "survived" | "timed out" | "unsure";
    readonly test?: number;
  };

/** What a worker writes when it has loaded all test files. */
export interface Loaded {
  readonly names: readonly string[];
  /** How many tests were registered after each file. */
  readonly files: readonly number[];
  /** The mutants that loading executed. */
  readonly static?: Readonly<Record<string, number>>;
}
