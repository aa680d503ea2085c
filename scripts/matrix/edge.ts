import { Miniflare } from "miniflare";

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
