/**
 * The panel's page: its files, and the package's modules that it uses. `deno task panel` writes them to `src/panel/site/`, from where a
 * gateway that runs from the source serves them; they are not committed. The npm build has the same files in its own folder.
 *
 * @module
 */

import * as esbuild from "esbuild";
import { root } from "../support/source.ts";
import { print } from "../support/terminal.ts";
import { buildWorklet } from "./worklet.ts";

/** Texts of files by their path. */
export type Files = ReadonlyMap<string, string>;

const pageFolder = "src/panel/page/";
const target = new URL("src/panel/site/", root);
// What the page takes from the package, by the file of the source that it imports, under the path where it is served.
const fromPackage: Readonly<Record<string, string>> = {
  "src/client/mod.ts": "/esm/index.js",
  "src/browser/mod.ts": "/esm/browser.js",
};
// The page's own files, by the path under which they are served.
const own: Readonly<Record<string, string>> = {
  "/": "index.html",
  "/panel/style.css": "style.css",
  "/panel/icon.svg": "icon.svg",
  "/panel/main.js": "main.js",
};

/** The page's own files, by their name. The modules of the package stay outside. */
export async function buildPage(): Promise<Files> {
  const { outputFiles: [main] } = await esbuild.build({
    absWorkingDir: root.pathname,
    entryPoints: [`${pageFolder}main.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    // What the browsers that have WebTransport understand.
    target: "es2022",
    write: false,
    plugins: [takeFromPackage],
  });
  const { outputFiles: [style] } = await esbuild.build({
    absWorkingDir: root.pathname,
    entryPoints: [`${pageFolder}style.css`],
    minify: true,
    write: false,
  });
  const read = (name: string): Promise<string> =>
    Deno.readTextFile(new URL(pageFolder + name, root));
  return new Map([
    ["index.html", await read("index.html")],
    ["icon.svg", await read("icon.svg")],
    ["style.css", style!.text],
    ["main.js", main!.text],
  ]);
}

const takeFromPackage: esbuild.Plugin = {
  name: "take from the package",
  setup(build) {
    build.onResolve({ filter: /\/mod\.ts$/ }, ({ path, resolveDir }) => {
      const source = new URL(path, `file://${resolveDir}/`).pathname.slice(root.pathname.length);
      const served = fromPackage[source];
      return served === undefined ? undefined : { path: served, external: true };
    });
  },
};

/**
 * The list of what is served: files by path, from the list's own folder.
 *
 * @param modules The package's modules that the page loads, by their path from the package's folder of modules.
 * @param folder That folder, from the list's own.
 */
export function listFiles(modules: readonly string[], folder: string): string {
  const served = {
    ...own,
    ...Object.fromEntries(modules.map((path) => [`/esm/${path}`, folder + path])),
  };
  return `${JSON.stringify(served, undefined, 2)}\n`;
}

/** The modules that some load, and those that these load, by a bundler's report on its outputs. */
export function loadedBy(
  entries: readonly string[],
  outputs: esbuild.Metafile["outputs"],
): readonly string[] {
  const found = [...entries];
  for (const path of found) {
    for (const { path: next } of outputs[path]?.imports ?? []) {
      if (outputs[next] !== undefined && !found.includes(next)) found.push(next);
    }
  }
  return found;
}

/** The package's modules as the page uses them, from the source, by their path. */
async function buildModules(): Promise<Files> {
  const folder = "esm";
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root.pathname,
    entryPoints: [{ in: "mod.ts", out: "index" }, { in: "src/browser/mod.ts", out: "browser" }],
    outdir: folder,
    bundle: true,
    minify: true,
    splitting: true,
    chunkNames: "shared/[name]-[hash]",
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["node:*"],
    write: false,
  });
  const start = `${root.pathname}${folder}/`;
  return new Map([
    ...outputFiles.map(({ path, text }) => [path.slice(start.length), text] as const),
    ["browser/worklet.js", await buildWorklet()],
  ]);
}

/** Writes the page's files, and the modules that it uses, in place of what is in a folder. Returns how many there are. */
export async function writeSite(folder: URL): Promise<number> {
  const modules = await buildModules();
  const files = new Map([
    ...await buildPage(),
    ...[...modules].map(([path, text]) => [`esm/${path}`, text] as const),
    ["files.json", listFiles([...modules.keys()], "esm/")],
  ]);
  await esbuild.stop();
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  for (const [path, text] of files) {
    const file = new URL(path, folder);
    await Deno.mkdir(new URL(".", file), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  return files.size;
}

if (import.meta.main) print(`src/panel/site/: ${await writeSite(target)} files`);
