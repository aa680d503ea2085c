/**
 * Keeps the documentation true: every TypeScript block of the pages (README.md of the
 * repository and of the rooms, and the references beside them) and of the doc comments is type-checked against the
 * package, and every block of a page runs. `deno run -A scripts/checks/readme.ts [--static]`
 *
 * A block says behind its language when it cannot take part, and why: "ts no-run: it needs a microphone" is still
 * type-checked, "ts no-check: it needs a package that is not here" is neither. TypeScript and JavaScript run in a scratch
 * folder, where the product's public endpoint and the `TELEQUICK_` environment mean a local gateway; shell blocks run in the
 * repository's folder.
 *
 * @module
 */

import { type Block, docBlocks, markdownBlocks } from "./support/blocks.ts";
import type { LocalGateway } from "../support/local_gateway.ts";
import { readManifest } from "../build/manifest.ts";
import { run, runDeno, type RunResult } from "../support/run.ts";
import { readPages } from "../support/pages.ts";
import { readSources, root } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

const scripts = new Set(["ts", "typescript", "js", "javascript"]);
const shells = new Set(["sh", "bash", "shell"]);
const longestRunMs = 60_000;
const publicEndpoint = "https://engine.telequick.dev:9090";

interface Mark {
  readonly check: boolean;
  readonly run: boolean;
}

/** What a block's info string says about it; `undefined` when it is not understood. Doc comments never run, so they need no reason. */
function markOf({ info, path }: Block): Mark | undefined {
  if (info === "") return { check: true, run: true };
  if (/^no-run: \S/.test(info) || (info === "no-run" && path.endsWith(".ts"))) {
    return { check: true, run: false };
  }
  return /^no-check: \S/.test(info) ? { check: false, run: false } : undefined;
}

/** Finds what is wrong with a block as it stands: a mark without a reason, a task that does not exist, a run without an end. */
function judgeBlock(block: Block, tasks: Readonly<Record<string, string>>): string[] {
  const found: string[] = [];
  const mark = markOf(block);
  if (mark === undefined) {
    found.push(
      `"${block.info}" is not understood, expected nothing, "no-run: reason" or "no-check: reason"`,
    );
  }
  for (const [, task = ""] of block.code.matchAll(/\bdeno(?:@\S+)? task ([\w:-]+)/g)) {
    if (!Object.hasOwn(tasks, task)) found.push(`deno.json has no task "${task}"`);
    else if (mark?.run === true && (task === "test" || task === "check")) {
      found.push(
        `the task "${task}" runs this check, so the block would run itself (mark it no-run)`,
      );
    }
  }
  return found.map((each) => `${block.path}:${block.line}: ${each}`);
}

/** The folder in which blocks are checked and run: the package by its name, strict as the package is, unused names allowed. */
async function furnish(folder: string, blocks: readonly Block[]): Promise<Map<string, Block>> {
  const { name, exports, unstable, compilerOptions } = await readManifest();
  const imports = Object.entries(exports).map(([door, path]) =>
    [door.replace(/^\./, name), new URL(path, root).href] as const
  );
  await Deno.writeTextFile(
    `${folder}/deno.json`,
    JSON.stringify({
      imports: Object.fromEntries(imports),
      unstable,
      lock: false,
      compilerOptions: { ...compilerOptions, noUnusedLocals: false, noUnusedParameters: false },
    }),
  );
  const files = new Map<string, Block>();
  for (const block of blocks) {
    const extension = block.language.startsWith("t") ? "ts" : "js";
    const file = `${block.path.replaceAll("/", "-")}-${block.line}.${extension}`;
    files.set(file, block);
    // The blank lines give every line the number that it has in the documentation.
    await Deno.writeTextFile(`${folder}/${file}`, "\n".repeat(block.line) + block.code + "\n");
  }
  return files;
}

/** Type-checks blocks. A finding is the compiler's own, with the places in the documentation. */
async function checkTypes(folder: string, files: ReadonlyMap<string, Block>): Promise<string[]> {
  const checked = [...files].filter(([, block]) => markOf(block)?.check === true);
  if (checked.length === 0) return [];
  const names = checked.map(([file]) => file);
  const result = await runDeno(["check", "--quiet", ...names], { cwd: folder });
  return result.ok ? [] : [inDocumentation(result.output, folder, files)];
}

function inDocumentation(text: string, folder: string, files: ReadonlyMap<string, Block>): string {
  let told = text;
  for (const [file, { path }] of files) told = told.replaceAll(`file://${folder}/${file}`, path);
  return told;
}

/** Runs blocks one after another. A finding is the whole output of a block that failed. */
async function runBlocks(
  folder: string,
  shell: readonly Block[],
  files: ReadonlyMap<string, Block>,
): Promise<string[]> {
  const findings: string[] = [];
  const judge = ({ path, line }: Block, { ok, output }: RunResult): void => {
    if (!ok) {
      findings.push(`${path}:${line}: does not run\n${inDocumentation(output, folder, files)}`);
    }
  };
  let gateway: LocalGateway | undefined;
  try {
    for (const [file, block] of files) {
      if (markOf(block)?.run !== true) continue;
      const args = ["run", "-A", "--quiet"];
      if (connects(block)) {
        gateway ??= await startGateway(folder);
        await pointAt(gateway.endpoint, `${folder}/${file}`);
        // The public endpoint has a certificate that is trusted without a hash; its stand-in has not.
        args.push("--unsafely-ignore-certificate-errors=127.0.0.1");
      }
      const options = { cwd: folder, env: gateway?.env ?? {}, timeoutMs: longestRunMs };
      judge(block, await runDeno([...args, file], options));
    }
  } finally {
    await gateway?.close();
  }
  // Readers of the block have Deno, but this machine may have fetched it for this run alone.
  const path = `${new URL(".", `file://${Deno.execPath()}`).pathname}:${Deno.env.get("PATH")}`;
  for (const block of shell) {
    if (markOf(block)?.run !== true) continue;
    const args = ["-euo", "pipefail", "-c", block.code];
    judge(block, await run("bash", args, { env: { PATH: path }, timeoutMs: longestRunMs }));
  }
  return findings;
}

/** Loads the package no sooner than a block needs it, so that what is written is checked even while nothing runs. */
async function startGateway(folder: string): Promise<LocalGateway> {
  return await (await import("../support/local_gateway.ts")).startGateway(folder);
}

function connects({ code }: Block): boolean {
  return code.includes(publicEndpoint) ||
    /TELEQUICK_|service-account\.json|new TeleQuickClient\(/.test(code);
}

/** Writes another endpoint where a program names the public one. */
async function pointAt(endpoint: string, file: string): Promise<void> {
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, text.replaceAll(publicEndpoint, endpoint));
}

/** What is looked at. */
export interface DocumentationOptions {
  /** Markdown by path: type-checked and run. */
  readonly pages: ReadonlyMap<string, string>;
  /** TypeScript by path: its doc comments are type-checked. */
  readonly sources: ReadonlyMap<string, string>;
  /** Whether the blocks of the pages run. */
  readonly run: boolean;
}

/** What {@linkcode checkDocumentation} found. */
export interface DocumentationResult {
  /** How many blocks took part. */
  readonly blocks: number;
  /** What is wrong, one text each. */
  readonly violations: readonly string[];
}

/** Checks the code blocks of pages and doc comments, and runs those of the pages. */
export async function checkDocumentation(
  options: DocumentationOptions,
): Promise<DocumentationResult> {
  const { tasks } = await readManifest();
  const fromPages = [...options.pages].flatMap(([path, text]) => markdownBlocks(path, text));
  const fromSources = [...options.sources].flatMap(([path, text]) => docBlocks(path, text));
  const blocks = [...fromPages, ...fromSources].filter(({ language }) =>
    scripts.has(language) || shells.has(language)
  );
  const violations = blocks.flatMap((block) => judgeBlock(block, tasks));
  const isScript = ({ language }: Block): boolean => scripts.has(language);
  const folder = await Deno.makeTempDir({ prefix: "documentation-" });
  try {
    const files = await furnish(folder, blocks.filter(isScript));
    violations.push(...await checkTypes(folder, files));
    if (options.run) {
      const shell = fromPages.filter(({ language }) => shells.has(language));
      const running = new Map([...files].filter(([, block]) => fromPages.includes(block)));
      violations.push(...await runBlocks(folder, shell, running));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { blocks: blocks.length, violations };
}

if (import.meta.main) {
  const pages = await readPages();
  const sources = await readSources(["mod.ts", "src"]);
  const run = !Deno.args.includes("--static");
  const { blocks, violations } = await checkDocumentation({ pages, sources, run });
  conclude("documentation", `${blocks} code blocks${run ? ", run" : ""}`, violations);
}
