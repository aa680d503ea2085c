/**
 * The worklet as one minified file: as text in `src/browser/worklet_source.ts`, and for the npm package.
 * `deno run -A scripts/build/worklet.ts` writes the former; with `--check` it only says whether it is out of date.
 *
 * @module
 */

import * as esbuild from "esbuild";
import { root } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

/** The module that runs in the worklet. */
export const workletEntry = "src/browser/worklet.ts";
const target = "src/browser/worklet_source.ts";

/** Bundles and minifies the worklet. */
export async function buildWorklet(): Promise<string> {
  const { outputFiles: [file] } = await esbuild.build({
    absWorkingDir: root.pathname,
    entryPoints: [workletEntry],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    write: false,
  });
  return file!.text.trimEnd();
}

function moduleOf(source: string): string {
  return `// Written by scripts/build/worklet.ts from worklet.ts, and never by hand.
// deno-fmt-ignore-file

/** The worklet's module as text. */
export const workletSource: string =
  ${JSON.stringify(source)};
`;
}

if (import.meta.main) {
  const text = moduleOf(await buildWorklet());
  await esbuild.stop();
  const url = new URL(target, root);
  const isCheck = Deno.args.includes("--check");
  if (!isCheck) await Deno.writeTextFile(url, text);
  const isCurrent = !isCheck || text === await Deno.readTextFile(url);
  conclude(
    "worklet",
    target,
    isCurrent
      ? []
      : [`${target} is out of date: run deno run -A scripts/build/worklet.ts, which writes it`],
  );
}
