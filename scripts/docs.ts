/**
 * Builds the API reference as HTML: `deno task docs [folder]`, by default into `docs/api/`.
 *
 * @module
 */

import { readManifest } from "./build/manifest.ts";
import { runDeno } from "./support/run.ts";
import { root } from "./support/source.ts";
import { conclude } from "./support/terminal.ts";

const [folder = "docs/api"] = Deno.args;
const { name, exports } = await readManifest();
await Deno.mkdir(new URL(folder, root), { recursive: true });
const { ok, output } = await runDeno([
  ...["doc", "--html", `--name=${name}`, `--output=${new URL(folder, root).pathname}`],
  ...Object.values(exports),
]);
const written = output.trim().split("\n").at(-1) ?? "";
conclude("docs", written, ok ? [] : [output]);
