/**
 * Which file can use which global: files and environment, WebCrypto, WebTransport, the runtimes' own namespaces, time, the console.
 * `deno run -A scripts/checks/globals.ts`
 *
 * @module
 */

import ts from "typescript";
import { type GlobalAccess, globalAccesses, isErased } from "./support/globals.ts";
import { parse, place, readSources, type Sources, walk } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

/** Globals with the only places where they may be touched. */
export interface GlobalRule {
  /** What they are, for the message. */
  readonly what: string;
  /** Names, and dotted names below them; a `*` at the end stands for any ending. */
  readonly names: readonly string[];
  /** Files, and folders with their slash. */
  readonly onlyIn: readonly string[];
  /** What to do everywhere else. */
  readonly instead: string;
}

const terminal = ["src/cli/"];
const runtimes = [
  "src/transport/listen.ts",
  "src/transport/deno/deno.ts",
  "src/transport/packages.ts",
  "src/credentials/load.ts",
  "src/client/environment.ts",
  "src/gateway/storage/",
  "src/cli/",
];

/** The globals table. The first rule that a use breaks is reported. */
export const globalRules: readonly GlobalRule[] = [
  {
    what: "a file or the environment",
    names: [
      ...["env", "cwd", "chdir", "umask", "create", "createSync", "mkdir*", "remove*", "rename*"],
      ...["open*", "read*", "write*", "truncate*", "stat*", "lstat*", "realPath*", "copyFile*"],
      ...["chmod*", "chown*", "link*", "symlink*", "utime*", "makeTemp*", "watchFs", "FsFile"],
    ].map((name) => `Deno.${name}`).concat(
      ["process.env", "process.cwd", "process.chdir", "process.loadEnvFile"],
      ["Bun.env", "Bun.file", "Bun.write"],
      ["node:fs", "node:fs/promises", "fs", "fs/promises"],
    ),
    // A gateway with a `directory` keeps its keys there; everything else of it goes through the storage that this file makes.
    onlyIn: [
      "src/credentials/load.ts",
      "src/client/environment.ts",
      "src/gateway/storage/",
      "src/panel/files.ts",
      "src/cli/",
    ],
    instead: "take what it holds as a parameter",
  },
  {
    what: "the console or the exit",
    names: [
      ...["console", "alert", "confirm", "prompt"],
      ...["Deno.exit*", "Deno.stdin", "Deno.stdout", "Deno.stderr"],
      ...["process.exit*", "process.abort", "process.stdin", "process.stdout", "process.stderr"],
    ],
    onlyIn: terminal,
    instead: "throw, or hand a record to the caller's log",
  },
  {
    what: "time",
    names: [
      ...["setTimeout", "setInterval", "setImmediate", "requestAnimationFrame"],
      ...["clearTimeout", "clearInterval", "clearImmediate", "cancelAnimationFrame"],
      ...["requestIdleCallback", "scheduler", "AbortSignal.timeout"],
      ...["Date.now", "new Date()", "performance", "Temporal.Now"],
    ],
    // A turn of the event loop is not a time: fake clocks wait for it.
    onlyIn: ["src/base/signal.ts", "src/base/turn.ts"],
    instead: "take a Clock as an option with systemClock as its default",
  },
  {
    what: "WebCrypto",
    names: ["crypto.subtle"],
    onlyIn: [
      // Looks whether it is there, and says why not.
      "src/base/environment.ts",
      "src/credentials/key.ts",
      "src/credentials/service_account.ts",
      // The signature of a webhook's body, HMAC-SHA256: kept far from the tokens, which know one algorithm alone.
      "src/gateway/webhook.ts",
      "src/webhook/verify.ts",
      "src/token/sign.ts",
      // The hash of a used token, never the token, is what verifiers share.
      "src/token/store_replay.ts",
      "src/token/verify.ts",
      "src/transport/certificate.ts",
      "src/transport/certificate_hash.ts",
    ],
    instead: "call what these files export",
  },
  {
    what: "the counter of operations",
    names: ["telequickOperations"],
    onlyIn: ["src/base/operations.ts"],
    instead: "call counted() on what takes time of its own",
  },
  {
    what: "a page's own",
    names: [
      ...["AudioContext", "AudioWorkletNode", "MediaStream", "Worker"],
      ...["navigator.mediaDevices", "URL.createObjectURL", "URL.revokeObjectURL"],
    ],
    onlyIn: ["src/browser/"],
    instead: "do it in src/browser/",
  },
  {
    what: "the transport's constructor",
    names: ["WebTransport"],
    onlyIn: ["src/transport/dial.ts"],
    instead: "take a session, or open one through src/transport/",
  },
  {
    what: "one runtime's own",
    names: ["Deno", "Bun", "process", "createRequire", "require"],
    onlyIn: runtimes,
    instead: "use what every runtime has, or move the probe there",
  },
];

/** Handed on whole, these hide what is used of them. */
const containers = ["globalThis", "crypto"];

/**
 * Checks the globals table.
 *
 * @param files Texts by path from the repository's folder.
 * @returns What breaks the table, one sentence each: place, rule, what to do.
 */
export function checkGlobals(files: Sources): string[] {
  const accesses = [...globalAccesses(files), ...smuggled(files)];
  return accesses.map(judge).filter((found) => found !== undefined);
}

function judge({ node, path, tracked }: GlobalAccess): string | undefined {
  const { fileName } = node.getSourceFile();
  const broken = globalRules.find(({ names, onlyIn }) =>
    names.some((name) => covers(name, path)) && !onlyIn.some((place) => isIn(place, fileName))
  );
  if (broken !== undefined) {
    const { what, onlyIn, instead } = broken;
    return `${place(node)}: ${path} is ${what}, touched only in ${onlyIn.join(", ")} (${instead})`;
  }
  if (tracked || !containers.includes(path)) return undefined;
  return `${
    place(node)
  }: ${path} is passed on as a whole, so its use cannot be followed (name the part that is needed)`;
}

/** Whether a name of the table means a path or something above it. */
function covers(name: string, path: string): boolean {
  if (!name.endsWith("*")) return path === name || path.startsWith(`${name}.`);
  const depth = name.split(".").length;
  return path.split(".").slice(0, depth).join(".").startsWith(name.slice(0, -1));
}

function isIn(place: string, path: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}

/** What comes in by another way than the global scope: `createRequire` of a module, and the file system by its module's name. */
function smuggled(files: Sources): GlobalAccess[] {
  const found: GlobalAccess[] = [];
  for (const [path, text] of files) {
    walk(parse(path, text), (node) => {
      const names = ts.isStringLiteralLike(node)
        ? /^(node:)?fs(\/promises)?$/
        : ts.isIdentifier(node)
        ? /^createRequire$/
        : undefined;
      if (names === undefined) return;
      const { text: name } = node as ts.StringLiteralLike | ts.Identifier;
      if (names.test(name)) found.push({ node, path: name, tracked: true });
    }, isErased);
  }
  return found;
}

if (import.meta.main) {
  const files = await readSources(["mod.ts", "src"]);
  conclude("globals", `${files.size} files`, checkGlobals(files));
}
