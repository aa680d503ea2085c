/**
 * Checks the npm package as its users meet it: `deno run -A scripts/checks/package.ts [--update]`.
 *
 * The packed tarball holds the files of `tests/npm/files.txt` (which `--update` writes) and declarations of the source, `publint` and
 * `attw` have nothing to say, and in an empty folder, installed by npm and by Bun, every export is there and the command runs.
 *
 * @module
 */

import { cache, install, need } from "../matrix/install.ts";
import { readManifest } from "../build/manifest.ts";
import { type Packed, packPackage } from "../build/package.ts";
import { bun, node } from "../matrix/runtimes.ts";
import { readPages } from "../support/pages.ts";
import { readSources, root } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

const list = new URL("tests/npm/files.txt", root);
const linters = { "publint": "0.3.25", "@arethetypeswrong/cli": "0.18.5" } as const;

/** Which files came and which went. Declarations and pages come and go with the files of the source, and need no list. */
async function compareFiles(
  listed: readonly string[],
  packed: readonly string[],
): Promise<string[]> {
  const sources = new Set([...(await readSources(["mod.ts", "src"])).keys()]);
  const pages = await readPages();
  const isDeclaration = (path: string): boolean => {
    if (!path.startsWith("types/")) return false;
    const source = path.slice("types/".length).replace(/\.d\.ts$/, ".ts");
    return sources.has(source) || pages.has(source);
  };
  return [
    ...packed.filter((path) => !listed.includes(path) && !isDeclaration(path)).map((path) =>
      `${path} is in the package and not in tests/npm/files.txt (right? then: --update)`
    ),
    ...listed.filter((path) => !packed.includes(path)).map((path) =>
      `${path} is in tests/npm/files.txt and not in the package`
    ),
  ];
}

async function lint({ folder, tarball }: Packed): Promise<void> {
  const bin = `${(await install("linters", linters)).pathname}node_modules/.bin`;
  await need(`${bin}/publint`, ["--strict", folder.pathname]);
  await need(`${bin}/attw`, [tarball, "--profile", "esm-only"]);
}

/** A program that imports every door, and reports which of the source's values are missing there, and which classes are two. */
async function writeUser(folder: URL): Promise<string> {
  const { name, exports, data: dataDoors } = await readManifest();
  const expected: Record<string, readonly string[]> = {};
  for (const [door, path] of Object.entries(exports)) {
    expected[name + door.slice(1)] = Object.keys(await import(new URL(path, root).href));
  }
  const data = Object.keys(dataDoors).map((door) => name + door.slice(1));
  const path = new URL("user.mjs", folder).pathname;
  await Deno.writeTextFile(
    path,
    `import { readFileSync } from "node:fs";
const missing = [];
const classes = new Map();
for (const [door, names] of Object.entries(${JSON.stringify(expected)})) {
  const found = await import(door);
  const extra = Object.keys(found).filter((name) => !names.includes(name));
  for (const name of [...names.filter((name) => found[name] === undefined), ...extra]) {
    missing.push(door + " " + name);
  }
  for (const [name, value] of Object.entries(found)) {
    if (!/^class\\b/.test(String(value))) continue;
    if ((classes.get(name) ?? value) !== value) missing.push(door + " " + name + ", another class");
    classes.set(name, value);
  }
}
for (const door of ${JSON.stringify(data)}) {
  const text = readFileSync(new URL(import.meta.resolve(door)), "utf8");
  if (JSON.parse(text).title === undefined) missing.push(door);
}
if (!classes.has("TeleQuickError")) missing.push("any class");
console.log(missing.length === 0 ? "all there" : "Differs from the source: " + missing.join(", "));
`,
  );
  return path;
}

async function use(
  by: string,
  add: readonly [string, ...string[]],
  [command, ...args]: readonly [string, ...string[]],
): Promise<string[]> {
  const folder = new URL(`installed-by-${by}/`, cache);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL("package.json", folder), '{ "private": true }');
  await need(add[0], add.slice(1), { cwd: folder });

  const installed = await Array.fromAsync(
    Deno.readDir(new URL("node_modules/", folder)),
    (entry) => entry.name,
  );
  const others = installed.filter((entry) => !/^(@telequick|\.)/.test(entry));
  const problems = others.map((other) => `${by} installed ${other} with it`);
  const said = await need(command, [...args, await writeUser(folder)], { cwd: folder });
  if (said.trim() !== "all there") problems.push(`Installed by ${by}: ${said.trim()}`);

  const bin = new URL("node_modules/.bin/telequick", folder).pathname;
  const { version } = await readManifest();
  const asked = await need(command, [...args, bin, "--version"], { cwd: folder });
  if (!asked.includes(version)) {
    problems.push(`telequick --version, installed by ${by}, says: ${asked}`);
  }
  const direct = await need(bin, ["explain", "ERR_UNAUTHORIZED"], { cwd: folder });
  if (!direct.includes("ERR_UNAUTHORIZED")) problems.push(`telequick explain says: ${direct}`);
  return problems;
}

/** Checks a package that was packed; returns what is wrong. */
export async function checkPackage(packed: Packed): Promise<readonly string[]> {
  const listed = (await Deno.readTextFile(list)).trimEnd().split("\n");
  await lint(packed);
  const bunRuntime = await bun();
  return [
    ...await compareFiles(listed, packed.files),
    ...await use("npm", ["npm", "install", packed.tarball], (await node()).command),
    ...await use("bun", [bunRuntime.command[0], "add", packed.tarball], bunRuntime.command),
  ];
}

/** What was looked at, in a few words. */
export function describePackage({ files, bytes: { packed, unpacked } }: Packed): string {
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
  return `${files.length} files, ${kilobytes(packed)} packed, ${kilobytes(unpacked)} unpacked`;
}

if (import.meta.main) {
  const packed = await packPackage();
  if (Deno.args.includes("--update")) {
    const listed = packed.files.filter((path) => !path.startsWith("types/"));
    await Deno.writeTextFile(list, listed.map((path) => `${path}\n`).join(""));
  }
  conclude("package", describePackage(packed), await checkPackage(packed));
}
