/**
 * What the doors weigh in a browser: bundled, minified and gzipped (level 9), against a limit for each.
 * `deno run -A scripts/check_size.ts`
 *
 * @module
 */

// deno-lint-ignore-file no-console
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import process from "node:process";
import * as esbuild from "esbuild";

/** What is bundled, and the most that it may weigh in bytes. */
interface Entry {
  readonly name: string;
  readonly code: string;
  readonly limit: number;
}

const entries: readonly Entry[] = [
  {
    name: "./wire, AudioFrame and CallEvent",
    code: 'export { AudioFrame, CallEvent } from "./src/wire/mod.ts"',
    limit: 3 * 1024,
  },
  {
    name: "./wire, all of it",
    code: 'export * from "./src/wire/mod.ts"',
    limit: 9 * 1024,
  },
];

const root = fileURLToPath(new URL("..", import.meta.url));
let failures = 0;
for (const { name, code, limit } of entries) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: code, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  const bytes = outputFiles[0]!.contents;
  const size = gzipSync(bytes, { level: 9 }).length;
  const verdict = size > limit ? "TOO LARGE" : "ok";
  console.log(`${name}: ${size} of ${limit} bytes (${bytes.length} before gzip) ${verdict}`);
  if (size > limit) failures++;
}
await esbuild.stop();
console.log(
  failures === 0 ? `${entries.length} sizes are within their limits` : `${failures} over`,
);
process.exitCode = failures === 0 ? 0 : 1;
