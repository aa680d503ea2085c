/**
 * Packages and modules that Bun and Node load while the program runs: the core imports nothing from outside.
 *
 * @module
 */

/** `require`, with what it finds paths by. */
export type Require = ((name: string) => unknown) & {
  readonly resolve: ((name: string) => string) & { paths(name: string): readonly string[] | null };
};

interface ProcessGlobal {
  readonly argv?: readonly string[];
  readonly arch?: string;
  readonly platform?: string;
  readonly versions?: Readonly<Record<string, string | undefined>>;
  readonly report?: { getReport(): unknown };
  readonly getBuiltinModule?: (name: string) => unknown;
}

interface NodeModule {
  createRequire(from: string): Require;
}

function processGlobal(): ProcessGlobal | undefined {
  return (globalThis as { process?: ProcessGlobal }).process;
}

/** What this runtime is called, if it is one on which an addon can be loaded. */
export function addonRuntime(): "Bun" | "Node" | undefined {
  if ("Bun" in globalThis) return "Bun";
  // Edge runtimes imitate Node's process; theirs cannot load anything.
  const isNode = processGlobal()?.versions?.["node"] !== undefined && !("Deno" in globalThis) &&
    !("WebSocketPair" in globalThis) && !("EdgeRuntime" in globalThis);
  return isNode ? "Node" : undefined;
}

/** Whether this is Deno, with any flags. */
export function isOnDeno(): boolean {
  return "Deno" in globalThis;
}

/** A module of the runtime's own, such as `node:dgram`. */
export function builtinModule(name: string): unknown {
  return processGlobal()?.getBuiltinModule?.(name);
}

interface Flags {
  setFlagsFromString(flags: string): void;
}

interface Contexts {
  runInNewContext(code: string): unknown;
}

/** Has Bun or Node collect what is not used any more, as far as it can be asked to. It blocks the thread for some milliseconds. */
export function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc?(isForced: boolean): void } };
  if (Bun?.gc !== undefined) return Bun.gc(true);
  (builtinModule("node:v8") as Flags | undefined)?.setFlagsFromString("--expose-gc");
  // The flag shows in contexts that are made after it.
  const collect = (builtinModule("node:vm") as Contexts | undefined)?.runInNewContext(
    "globalThis.gc",
  );
  if (typeof collect === "function") collect();
}

/** What looks for packages: from this module, then from the program. */
export function requires(): Require[] {
  return [import.meta.url, processGlobal()?.argv?.[1]].flatMap((from) => {
    try {
      return from === undefined ? [] : requireOf(from);
    } catch {
      // A program without a file.
      return [];
    }
  });
}

/** A `require` that sees what stands beside an installed package; `undefined` when that is not installed. */
export function requireFrom(name: string): Require | undefined {
  for (const require of requires()) {
    try {
      return requireOf(require.resolve(name))[0];
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

/** The folders in which packages are looked for, nearest first. */
export function searchedFolders(name: string): readonly string[] {
  return [...new Set(requires().flatMap((require) => require.resolve.paths(name) ?? []))];
}

/** The `require` of a file: none where the runtime makes none. */
function requireOf(file: string): Require[] {
  const module = builtinModule("node:module") as NodeModule | undefined;
  return module === undefined ? [] : [module.createRequire(file)];
}

/** The machine, as npm's platform packages tell it apart. */
export interface Machine {
  /** `linux`, `darwin`, `win32` and others. */
  readonly platform: string;
  /** `x64`, `arm64` and others. */
  readonly arch: string;
  /** The version of glibc, such as `2.36`; `undefined` off Linux, and on a Linux without glibc. */
  readonly glibc: string | undefined;
}

/** This machine. */
export function thisMachine(): Machine {
  const { platform = "", arch = "", report } = processGlobal() ?? {};
  const { header } = (platform === "linux" ? report?.getReport() : undefined) as {
    header?: { glibcVersionRuntime?: string };
  } | undefined ?? {};
  return { platform, arch, glibc: header?.glibcVersionRuntime };
}

/** Whether a version such as `2.36` is another or a later one. */
export function isAtLeast(version: string, wanted: string): boolean {
  const parts = (text: string): number[] => text.split(".").map(Number);
  const [major = 0, minor = 0] = parts(version);
  const [wantedMajor = 0, wantedMinor = 0] = parts(wanted);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Whether this is Deno. */
export function isDeno(): boolean {
  return "Deno" in globalThis;
}
