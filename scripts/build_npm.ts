/**
 * Writes the npm package to `npm/`: `deno task npm`.
 *
 * Each entry of the export map becomes one ES module; what entries share stands in chunks between them, so that a start loads
 * few files and a class is the same through every entry. `./token` is whole in its one file, as most cold starts are for a token:
 * the others take from it the class of our errors and what its room exports, and have keys and encodings, which it shares with
 * them in the source, once more in a chunk. The command line is one module beside them.
 * Declarations keep the files of the source.
 *
 * @module
 */

import * as esbuild from "esbuild";
import { emitDeclarations } from "./build/declarations.ts";
import { type Manifest, readManifest } from "./build/manifest.ts";
import { buildPage, listFiles, loadedBy } from "./build/panel.ts";
import { readPages } from "./support/pages.ts";
import { buildWorklet, workletEntry } from "./build/worklet.ts";
import { root } from "./support/source.ts";
import { print } from "./support/terminal.ts";

type Files = ReadonlyMap<string, string>;

const target = new URL("npm/", root);
// The command line: an entry by that name, and where it lies.
const program = "cli";
const programFolder = "src/cli/";
// The modules through which it shares code with the other entries: one that it always loads, and the panel, on demand.
const shared = "library";
const panel = "panel/server";
const panelFolder = "src/panel/";
// The file that browsers load into an AudioWorklet: whole, and minified, as nothing else of it is ever read.
const workletName = "browser/worklet";
// The entry that shares no chunk with others, and what they import from it in place of the source.
const base = "token";
const ofBase = ["src/base/errors.ts", "src/token/mod.ts"];
// How that is written until it is known how deep the importing file lies.
const baseMark = "#base";

const common = {
  absWorkingDir: root.pathname,
  outdir: "npm/esm",
  bundle: true,
  format: "esm",
  platform: "neutral",
  // What Node 20 and the browsers that have WebTransport understand.
  target: "es2022",
  external: ["node:*"],
  sourcemap: true,
  sourcesContent: true,
  write: false,
  metafile: true,
} as const satisfies esbuild.BuildOptions;

/** Path in the source by the entry's name: `index` for `.`, `token` for `./token`; a door may end as a file does. */
function entriesOf({ exports }: Manifest): Files {
  return new Map(
    Object.entries(exports).map(([door, path]) => [
      door === "." ? "index" : door.slice("./".length).replace(/\.js$/, ""),
      path.slice("./".length),
    ]),
  );
}

/** Modules and their source maps, by path from the package's folder. */
async function bundle(entries: Files): Promise<Files> {
  const { [program]: main, [base]: first, ...others } = Object.fromEntries(entries);
  const doors = Object.fromEntries(
    Object.entries(others).filter(([, source]) => source !== workletEntry),
  );
  const outside = new Set<string>();
  const ofPanel = new Set<string>();
  const taken = new Set<string>();
  const alone = await esbuild.build({ ...common, entryPoints: { [base]: first! } });
  const commands = await esbuild.build({
    ...common,
    entryPoints: { [program]: main! },
    // The program takes everything outside its own folder from one module.
    plugins: [
      importElsewhere((source) => source.startsWith(panelFolder), `./${panel}.js`, ofPanel),
      importElsewhere(
        (source) => !source.startsWith(programFolder),
        `./shared/${shared}.js`,
        outside,
      ),
    ],
  });
  const library = await esbuild.build({
    ...common,
    entryPoints: [...Object.keys(doors), shared, panel].map((name) => ({
      in: name,
      out: name === shared ? `shared/${shared}` : name,
    })),
    plugins: [
      importElsewhere((source) => ofBase.includes(source), baseMark, taken),
      exportAll({ ...doors, [shared]: [...outside].sort(), [panel]: [...ofPanel] }),
    ],
    splitting: true,
    chunkNames: "shared/[hash]",
  });
  const worklet = await buildWorklet();
  const page = await buildPage();
  await esbuild.stop();
  const missing = ofBase.filter((source) => !taken.has(source));
  if (missing.length > 0) {
    throw new Error(`Cannot build: no entry imports ${missing}, expected in ${base}.js`);
  }
  const names = nameChunks(library.metafile);
  const named = (text: string): string =>
    [...names].reduce((all, [hash, name]) => all.replaceAll(hash, name), text);
  const files = new Map<string, string>([[`esm/${workletName}.js`, `${worklet}\n`]]);
  for (const { path, text } of [...alone.outputFiles, ...library.outputFiles]) {
    const name = named(path.slice(target.pathname.length));
    const up = "../".repeat(name.split("/").length - 2) || "./";
    files.set(name, named(text).replaceAll(`"${baseMark}"`, `"${up}${base}.js"`));
  }
  for (const { path, text } of commands.outputFiles) {
    files.set(path.slice(target.pathname.length), text.replace(/^#!.*/, "#!/usr/bin/env node"));
  }
  // The page takes the package's own modules, from two folders above its own.
  const site = "esm/panel/site/";
  const modules = loadedBy(["npm/esm/index.js", "npm/esm/browser.js"], library.metafile.outputs)
    .map((path) => named(path).slice("npm/esm/".length));
  files.set(
    `${site}files.json`,
    listFiles([...modules, `${base}.js`, `${workletName}.js`], "../../"),
  );
  for (const [name, text] of page) files.set(site + name, text);
  return files;
}

/** Imports sources that lie elsewhere from a module of the package in place of bundling them, and notes which were met. */
function importElsewhere(
  isElsewhere: (source: string) => boolean,
  path: string,
  met: Set<string>,
): esbuild.Plugin {
  return {
    name: "import elsewhere",
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, ({ path: wanted, resolveDir }) => {
        const source = new URL(wanted, `file://${resolveDir}/`).pathname
          .slice(root.pathname.length);
        if (!isElsewhere(source)) return undefined;
        met.add(source);
        return { path, external: true };
      });
    },
  };
}

/** Makes modules of all that sources export, by the module's name. */
function exportAll(modules: Readonly<Record<string, string | readonly string[]>>): esbuild.Plugin {
  const namespace = "entry";
  return {
    name: "export all",
    setup(build) {
      build.onResolve({ filter: /^[\w/]+$/ }, ({ path }) => ({ path, namespace }));
      build.onLoad({ filter: /./, namespace }, ({ path }) => ({
        contents: [modules[path] ?? []].flat().map((source) => `export * from "./${source}";`)
          .join("\n"),
        resolveDir: root.pathname,
      }));
    },
  };
}

/**
 * Gives each chunk the name of the room that most of it comes from, with that of its largest file where several come from one room,
 * so that the list of files stays the same.
 */
function nameChunks({ outputs }: esbuild.Metafile): Files {
  const names = new Map<string, string>();
  const chunks = Object.entries(outputs).map(([path, { inputs, entryPoint }]) => ({
    // Chunks that are loaded on demand have an entry point in the source.
    hash: entryPoint === undefined || entryPoint.startsWith("src/transport/")
      ? /\/shared\/(?:\w+-)?(\w+)\.js$/.exec(path)?.[1]
      : undefined,
    files: Object.entries(inputs).map(([file, { bytesInOutput }]) => [bytesInOutput, file] as const)
      .sort(([a], [b]) => b - a),
  }));
  // The largest chunk of a room has the room's name alone.
  chunks.sort((a, b) => sizeOf(b.files) - sizeOf(a.files));
  for (const { hash, files } of chunks) {
    if (hash === undefined) continue;
    const rooms = Map.groupBy(files, ([, file]) => /^src\/(\w+)/.exec(file)?.[1] ?? "");
    const [[, room] = [0, ""]] = [...rooms].map(([room, files]) => [sizeOf(files), room] as const)
      .sort(([a], [b]) => b - a);
    const largest = rooms.get(room)?.[0]?.[1].replace(/.*\/|\.ts$/g, "");
    const taken = [...names.values()];
    // What the bundler adds of its own is in no file.
    const candidates = files.length === 0 ? ["runtime"] : [room, `${room}_${largest}`];
    const name = candidates.find((name) => !taken.includes(name));
    if (room === "" && files.length > 0 || name === undefined) {
      throw new Error(`Cannot name a chunk: it holds ${files.map(([, file]) => file).join(", ")}`);
    }
    names.set(hash, name);
  }
  return names;
}

function sizeOf(files: readonly (readonly [number, string])[]): number {
  return files.reduce((sum, [bytes]) => sum + bytes, 0);
}

/** The door of an entry, as importers write it. */
function doorOf(entry: string): string {
  if (entry === "index") return ".";
  return entry === workletName ? `./${entry}.js` : `./${entry}`;
}

/** Where the package has a file of data. */
function pathOfData(door: string): string {
  return `./esm/${door.slice("./".length)}`;
}

/** The files of data, by path from the package's folder. */
async function readData({ data }: Manifest): Promise<Files> {
  const read = Object.entries(data).map(async ([door, source]) =>
    [pathOfData(door), await Deno.readTextFile(new URL(source, root))] as const
  );
  return new Map(await Promise.all(read));
}

/** `package.json`, from `deno.json` and what only npm needs to know. */
function packageOf(manifest: Manifest, entries: Files): unknown {
  const { name, version, license, data } = manifest;
  const exports = [...entries].map(([entry, path]) => [
    doorOf(entry),
    {
      types: `./types/${path.replace(/\.ts$/, ".d.ts")}`,
      import: `./esm/${entry}.js`,
      default: `./esm/${entry}.js`,
    },
  ]);
  return {
    name,
    version,
    description:
      "TeleQuick for TypeScript: service accounts, calls, events and audio over WebTransport",
    license,
    keywords: [
      ...["telequick", "telephony", "voice", "voice-agent", "webtransport", "sip", "pcmu"],
      ...["jwt", "deno", "bun", "browser"],
    ],
    type: "module",
    sideEffects: false,
    exports: {
      ...Object.fromEntries(exports),
      ...Object.fromEntries(Object.keys(data).map((door) => [door, pathOfData(door)])),
    },
    bin: { telequick: `esm/${program}.js` },
    files: ["esm", "types", "CHANGELOG.md"],
    // Those with `process.getBuiltinModule`.
    engines: { node: "^20.16.0 || >=22.3.0" },
    peerDependencies: {
      "@fails-components/webtransport": "^1.6.8",
      "@matrixai/quic": "^2.0.9",
      "@moq/web-transport": "^0.1.4",
    },
    peerDependenciesMeta: {
      "@fails-components/webtransport": { optional: true },
      "@matrixai/quic": { optional: true },
      "@moq/web-transport": { optional: true },
    },
  };
}

const manifest = await readManifest();
const entries = entriesOf(manifest);
const declarations = emitDeclarations(
  [...entries.values()],
  (path) => path.startsWith(programFolder) || path.startsWith(panelFolder),
);
const files: Files = new Map([
  ...await bundle(entries),
  ...await readData(manifest),
  ...[...declarations].map(([path, text]) => [`types/${path}`, text] as const),
  ["package.json", `${JSON.stringify(packageOf(manifest, entries), undefined, 2)}\n`],
]);
await Deno.remove(target, { recursive: true }).catch(() => {});
for (const [path, text] of files) {
  const file = new URL(path, target);
  await Deno.mkdir(new URL(".", file), { recursive: true });
  await Deno.writeTextFile(file, text);
}
for (const name of ["README.md", "CHANGELOG.md", "LICENSE"]) {
  await Deno.copyFile(new URL(name, root), new URL(name, target));
}
// Doc comments link to the pages of their rooms: these stand beside the declarations.
const pages = [...(await readPages()).keys()].filter((path) =>
  path.startsWith("src/") && declarations.has(path.replace(/[^/]+$/, "mod.d.ts"))
);
for (const path of pages) {
  await Deno.mkdir(new URL(`types/${path}/..`, target), { recursive: true });
  await Deno.copyFile(new URL(path, root), new URL(`types/${path}`, target));
}
await Deno.chmod(new URL(`esm/${program}.js`, target), 0o755);
print(`npm/: ${manifest.name} ${manifest.version}, ${files.size + 3 + pages.length} files`);
