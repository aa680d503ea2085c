import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { install } from "../../scripts/matrix/install.ts";
import type { RealtimeWebSocketClass } from "../../src/openai/mod.ts";

/** The part of `@openai/agents-realtime` that the tests use. */
export interface AgentsRealtime {
  readonly OpenAIRealtimeWebSocket: RealtimeWebSocketClass;
  readonly RealtimeAgent: new (
    options: { readonly name: string; readonly instructions: string },
  ) => object;
  readonly RealtimeSession: new (
    agent: object,
    options: { readonly transport: object; readonly tracingDisabled: boolean },
  ) => RealtimeSession;
}

/** A session of the package. */
export interface RealtimeSession {
  readonly transport: { readonly status: string };
  connect(options: { readonly apiKey: string; readonly url: string }): Promise<void>;
  close(): void;
}

/**
 * Installs the package as one file, and returns its URL. It is not in `deno.json`: its dependencies bring type declarations of Node that replace
 * Deno's own in every test.
 */
export async function agentsRealtimeFile(): Promise<string> {
  const folder = fileURLToPath(
    await install("agents-realtime", { "@openai/agents-realtime": "0.20.0" }),
  );
  const outfile = `${folder}agents-realtime.mjs`;
  await esbuild.build({
    stdin: {
      contents: 'export * from "@openai/agents-realtime";',
      resolveDir: folder,
    },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
    // The package's CommonJS dependencies call require().
    banner: {
      js:
        'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  await esbuild.stop();
  return pathToFileURL(outfile).href;
}

/** Installs the package and loads it. */
export async function loadAgentsRealtime(): Promise<AgentsRealtime> {
  return await import(await agentsRealtimeFile());
}
