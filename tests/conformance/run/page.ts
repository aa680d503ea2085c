// A page: the script that drives the browser calls this function and gets the results.
import { type CheckResult, everywhere, runChecks } from "../mod.ts";

async function conformance(): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  await runChecks(everywhere, (result) => results.push(result));
  return results;
}

Object.assign(globalThis, { conformance });
