/**
 * Where a process spends its time: V8's sampling profiler, the samples summed up by layer.
 *
 * @module
 */

import { Session } from "node:inspector";

/** What a sample is counted under. */
export type Layer =
  | "ours"
  | "bench"
  | "runtime: streams"
  | "runtime: timers"
  | "runtime: other"
  | "collection"
  | "native code";

/** Time of the thread that runs JavaScript. */
export interface Share {
  readonly name: string;
  /** In microseconds, callees not counted. */
  readonly us: number;
}

/** What a profile came to. */
export interface ProfileSummary {
  readonly layers: readonly Share[];
  /** The functions in which most samples were, callees not counted. */
  readonly functions: readonly Share[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly hitCount?: number;
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** In microseconds. */
  readonly startTime: number;
  readonly endTime: number;
}

const SAMPLE_US = 200;
const FUNCTIONS = 40;

/** Profiles this process while `work` is under way. */
export async function profile(work: () => Promise<unknown>): Promise<ProfileSummary> {
  const session = new Session();
  session.connect();
  const post = <T>(method: string, options: object = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      session.post(method, options, (error: unknown, result: unknown) => {
        if (error) reject(error);
        else resolve(result as T);
      });
    });
  await post("Profiler.enable");
  await post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await post("Profiler.start");
  await work();
  const { profile } = await post<{ profile: Profile }>("Profiler.stop");
  session.disconnect();
  return summarize(profile);
}

function summarize({ nodes, startTime, endTime }: Profile): ProfileSummary {
  const samples = nodes.reduce((sum, { hitCount = 0 }) => sum + hitCount, 0);
  const usPerSample = (endTime - startTime) / samples;
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const layers = new Map<string, number>();
  const functions = new Map<string, number>();
  for (const node of nodes) {
    const { hitCount = 0, callFrame: { functionName, url, lineNumber } } = node;
    if (hitCount === 0 || functionName === "(idle)") continue;
    add(layers, layerOf(node, parents), hitCount * usPerSample);
    const file = url.replace(/^.*\/(?=(src|tests)\/)/, "");
    add(
      functions,
      `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`,
      hitCount * usPerSample,
    );
  }
  return { layers: sharesOf(layers), functions: sharesOf(functions) };
}

/** Functions of the engine have no address: they count as the caller's. */
function layerOf(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): Layer {
  const { functionName, url } = node.callFrame;
  if (functionName === "(garbage collector)") return "collection";
  // What the engine knows nothing of, such as the packets' encryption, counts as idle.
  if (functionName === "(program)") return "native code";
  if (url === "") {
    const parent = parents.get(node.id);
    return parent === undefined ? "native code" : layerOf(parent, parents);
  }
  if (url.includes("/src/")) return "ours";
  if (url.includes("streams")) return "runtime: streams";
  if (url.includes("timers")) return "runtime: timers";
  return url.startsWith("file:") ? "bench" : "runtime: other";
}

function add(times: Map<string, number>, name: string, us: number): void {
  times.set(name, (times.get(name) ?? 0) + us);
}

function sharesOf(times: ReadonlyMap<string, number>): Share[] {
  return [...times].map(([name, us]) => ({ name, us }))
    .sort((a, b) => b.us - a.us).slice(0, FUNCTIONS);
}
