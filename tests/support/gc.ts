import { setFlagsFromString } from "node:v8";
import { memoryUsage } from "node:process";
import { runInNewContext } from "node:vm";
import { turn } from "./quick_clock.ts";

/** Looked up when it is needed: runtimes on another engine, which cannot expose it, import this module too. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

/** Collects the garbage, and what can be collected only then. */
export async function collectGarbage(): Promise<void> {
  const collect = collector();
  for (let round = 0; round < 5; round++) {
    collect();
    await turn();
  }
}

/** Bytes of heap that are in use once the garbage is gone. */
export async function usedHeap(): Promise<number> {
  await collectGarbage();
  return memoryUsage().heapUsed;
}
