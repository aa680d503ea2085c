/**
 * Checks that run on every runtime: nothing but the language, timers and the package is used. A runner takes a list of them
 * and a function that receives each result.
 *
 * @module
 */

/** One thing that has to hold. */
export interface Check {
  /** Symbol and behaviour. */
  readonly title: string;
  /** Throws or rejects when it does not hold. */
  readonly run: () => void | Promise<void>;
  /** How long it may take, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
}

/** How a check went. */
export interface CheckResult {
  readonly title: string;
  /** What was wrong; `undefined` when nothing was. */
  readonly fault: string | undefined;
}

/** Receives the result of each check. */
export type Report = (result: CheckResult) => void;

/** Runs checks one after another. */
export async function runChecks(checks: readonly Check[], report: Report): Promise<void> {
  for (const check of checks) report(await attempt(check));
}

/** Runs checks side by side, for those that mostly wait. */
export async function runTogether(checks: readonly Check[], report: Report): Promise<void> {
  await Promise.all(checks.map(async (check) => report(await attempt(check))));
}

async function attempt({ title, run, timeoutMs = 30_000 }: Check): Promise<CheckResult> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([run(), late]);
    return { title, fault: undefined };
  } catch (error) {
    return { title, fault: error instanceof Error ? error.stack ?? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Demands that two values are the same: typed arrays, arrays and plain objects by their elements, everything else by `Object.is`. */
export function equal(actual: unknown, expected: unknown, what = "value"): void {
  if (same(actual, expected)) return;
  const at = firstDifference(actual, expected);
  throw new Error(
    `${what} is ${show(actual, at)}, expected ${show(expected, at)}${
      at > 0 ? ` from ${at} on` : ""
    }`,
  );
}

/** Demands that something holds. */
export function ok(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Does not hold: ${what}`);
}

/** What an error has to say of itself. */
export interface Refusal {
  readonly code: string;
  readonly message?: string | RegExp;
  readonly rpcCode?: number;
  readonly refusal?: string;
  readonly retryable?: boolean;
}

/**
 * Demands that work is refused with a `TeleQuickError` that says these things of itself.
 *
 * @returns The error.
 */
export async function refused(
  work: (() => unknown) | Promise<unknown>,
  { message, ...members }: Refusal,
): Promise<Error> {
  let error: unknown;
  try {
    const value = await (typeof work === "function" ? work() : work);
    error = new Error(`It went well: ${show(value)}`);
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof Error) || error.name !== "TeleQuickError") throw error;
  for (const [name, expected] of Object.entries(members)) {
    const actual = (error as unknown as Record<string, unknown>)[name];
    equal(actual, expected, `${name} of "${error.message}"`);
  }
  if (message instanceof RegExp) {
    ok(message.test(error.message), `${message} in "${error.message}"`);
  } else if (message !== undefined) equal(error.message, message, "message");
  return error;
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b) || Array.isArray(a) || Array.isArray(b)) {
    if (Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return false;
    const [one, other] = [a, b] as unknown as [ArrayLike<unknown>, ArrayLike<unknown>];
    if (one.length !== other.length) return false;
    for (let i = 0; i < one.length; i++) if (!same(one[i], other[i])) return false;
    return true;
  }
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) =>
    Object.hasOwn(b, name) &&
    same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name])
  );
}

/** Where two typed arrays part; 0 for all else. */
function firstDifference(a: unknown, b: unknown): number {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return 0;
  const [one, other] = [a, b] as unknown as [ArrayLike<unknown>, ArrayLike<unknown>];
  let at = 0;
  while (at < one.length && Object.is(one[at], other[at])) at++;
  return at;
}

function show(value: unknown, from = 0): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (ArrayBuffer.isView(value)) {
    const { length } = value as Uint8Array;
    const elements = (value as Uint8Array).subarray(from, from + 16).join(" ");
    return `${length} elements (${elements} ...)`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(value) ?? String(value);
}
