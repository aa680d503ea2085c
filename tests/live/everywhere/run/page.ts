// A page: the driver of the browser calls this function and gets the results. The desk is where the page is from.
import type { CheckResult } from "../../../conformance/check.ts";
import { runLive } from "../mod.ts";

async function live(): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  await runLive(location.origin, (result) => results.push(result));
  return results;
}

Object.assign(globalThis, { live });
