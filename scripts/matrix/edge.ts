import { Miniflare } from "miniflare";
import { root } from "../support/source.ts";

/** The version of workerd that the lockfile names. */
export async function workerdVersion(): Promise<string> {
  const lock = await Deno.readTextFile(new URL("deno.lock", root));
  return /"workerd@([\d.]+)"/.exec(lock)?.[1] ?? "";
}

/**
 * Runs a worker in workerd, as an edge runtime does, and asks it once.
 *
 * @param script Path of the worker's module.
 * @returns What it answered, read as JSON.
 */
export async function askWorker(script: string): Promise<unknown> {
  const worker = new Miniflare({
    modules: true,
    script: await Deno.readTextFile(script),
    compatibilityDate: "2026-01-01",
  });
  try {
    return await (await worker.dispatchFetch("http://worker.test/")).json();
  } finally {
    await worker.dispose();
  }
}
