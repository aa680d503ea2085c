/**
 * Runs registered tests again and again, in a copy of the sources that holds all mutants: `worker.ts TEST_FILE...`. Reads one request a
 * line from standard input and writes one answer a line. Between two requests it reads; while tests run nothing of its own keeps the
 * process alive, so a test that waits for nothing ends the process at once.
 *
 * @module
 */

import fc from "fast-check";
import { registered } from "./registry.ts";
import type { Answer, Request } from "./protocol.ts";

interface Stryker {
  activeMutant?: string | undefined;
  currentTestId?: string;
  hitCount?: number;
  hitLimit?: number;
  mutantCoverage?: {
    readonly static: Record<string, number>;
    readonly perTest: Record<string, Record<string, number>>;
  };
}

const shared = globalThis as unknown as { __stryker__?: Stryker };
const stryker = shared.__stryker__ ??= {};
// Taken before a test can replace it.
const { setTimeout: later, clearTimeout: cancel, performance: watch } = globalThis;

const unexpected: unknown[] = [];
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  unexpected.push(event.reason);
});
globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  unexpected.push(event.error);
});

function turn(): Promise<void> {
  return new Promise((resolve) => later(resolve, 0));
}

/** Runs a test with a mutant, or without one. Returns its fault. */
async function run(index: number, mutant: string | undefined, limitMs: number) {
  stryker.activeMutant = mutant;
  stryker.currentTestId = `t${index}`;
  stryker.hitCount = 0;
  unexpected.length = 0;
  const expired = Promise.withResolvers<"expired">();
  const timer = later(() => expired.resolve("expired"), limitMs);
  Deno.unrefTimer(timer as unknown as number);
  const startedAt = watch.now();
  const fault = await Promise.race([
    registered[index]!.run().then(() => undefined, (error) => String(error ?? "rejected")),
    expired.promise,
  ]);
  const ms = watch.now() - startedAt;
  cancel(timer);
  if (fault === undefined) await turn();
  stryker.activeMutant = undefined;
  return { ms, fault: fault ?? (unexpected.length > 0 ? "unexpected" : undefined) };
}

async function answer(request: Request): Promise<Answer> {
  if (request.kind === "measure") {
    const { fault, ms } = await run(request.test, undefined, request.limitMs);
    await turn();
    return { fault, ms, covers: stryker.mutantCoverage?.perTest[`t${request.test}`] ?? {} };
  }
  stryker.hitLimit = request.hitLimit;
  for (const { test, limitMs } of request.tests) {
    const { fault } = await run(test, request.mutant, limitMs);
    if (fault === undefined) continue;
    if (fault === "expired") return { outcome: "timed out", test };
    // What the failed test left undone ends here, without the mutant.
    for (let i = 0; i < 3; i++) await turn();
    const again = request.isFresh ? undefined : (await run(test, undefined, limitMs)).fault;
    const isSure = again === undefined && (request.isFresh || fault !== "unexpected");
    return { outcome: isSure ? "killed" : "unsure", test };
  }
  return { outcome: "survived" };
}

function write(value: unknown): void {
  let left = new TextEncoder().encode(`\n@${JSON.stringify(value)}\n`);
  while (left.length > 0) left = left.subarray(Deno.stdout.writeSync(left));
}

const given = Deno.env.get("MUTANT");
// Reading the variable needs a permission that tests may take away, so the sources do not.
stryker.activeMutant = given;
// Tests look for variables of theirs only; a shrunk counterexample is of no use here.
fc.configureGlobal({ numRuns: Number(Deno.env.get("RUNS")), seed: 1, endOnFailure: true });
const files: number[] = [];
const dynamic = Deno as unknown as { test: (...args: readonly unknown[]) => void };
dynamic.test = (name, ...rest) => {
  const body = [name, ...rest].find((value) => typeof value === "function");
  const title = (name as { name?: string }).name ?? String(name);
  registered.push({ name: title, run: async () => await (body as (t: unknown) => unknown)({}) });
};
for (const file of Deno.args) {
  await import(`../../${file}`);
  files.push(registered.length);
}
write({ names: registered.map(({ name }) => name), files, static: stryker.mutantCoverage?.static });

const decoder = new TextDecoder();
const buffer = new Uint8Array(1 << 20);
let text = "";
while (true) {
  const end = text.indexOf("\n");
  if (end >= 0) {
    const request = JSON.parse(text.slice(0, end)) as Request;
    text = text.slice(end + 1);
    write(await answer(request));
    continue;
  }
  const size = await Deno.stdin.read(buffer);
  if (size === null) break;
  text += decoder.decode(buffer.subarray(0, size), { stream: true });
}
Deno.exit();
