import { TeleQuickError } from "../../base/errors.ts";
import { type NapiAddon, napiWebTransport } from "./napi_session.ts";
import type { WebTransportConstructor } from "../types.ts";

const PACKAGE = "@moq/web-transport";
// Has the W3C shape by itself, over a build of QUIC that it loads behind the scenes.
const W3C_PACKAGE = "@fails-components/webtransport";

type Require = ((name: string) => unknown) & {
  readonly resolve: ((name: string) => string) & { paths(name: string): readonly string[] | null };
};

/** The part of its `package.json` that says where its module is. */
interface W3cPackage {
  readonly exports: { readonly ".": { readonly node: { readonly import: string } } };
}

/** The part of that module which is used. */
interface W3cModule {
  readonly WebTransport: WebTransportConstructor;
  readonly quicheLoaded: Promise<unknown>;
}

interface ProcessGlobal {
  readonly argv?: readonly string[];
  readonly arch?: string;
  readonly platform?: string;
  readonly versions?: Readonly<Record<string, string | undefined>>;
  readonly report?: { getReport(): unknown };
  readonly getBuiltinModule?: (
    name: "node:module",
  ) => { createRequire(from: string): Require } | undefined;
}

function processGlobal(): ProcessGlobal | undefined {
  return (globalThis as { process?: ProcessGlobal }).process;
}

/** What this runtime is called, if it is one on which an addon can be loaded. */
function addonRuntime(): "Bun" | "Node" | undefined {
  if ("Bun" in globalThis) return "Bun";
  // Edge runtimes imitate Node's process; theirs cannot load anything.
  const isNode = processGlobal()?.versions?.["node"] !== undefined && !("Deno" in globalThis) &&
    !("WebSocketPair" in globalThis) && !("EdgeRuntime" in globalThis);
  return isNode ? "Node" : undefined;
}

/**
 * Makes the constructor over an installed `@moq/web-transport`, else takes that of an installed `@fails-components/webtransport`, on
 * Bun and Node.
 *
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` when neither is installed, or what is cannot be loaded; the message says the one thing to do.
 */
export async function findWebTransport(): Promise<WebTransportConstructor> {
  const addon = loadAddon("connect");
  if (addon !== undefined) return napiWebTransport(addon);
  const module = loadW3cModule();
  if (module === undefined) throw unavailable("connect");
  await module.quicheLoaded;
  return module.WebTransport;
}

/** Loads the other package by the path that its `package.json` gives: it is made for `import`, and refuses a `require` by its name. */
function loadW3cModule(): W3cModule | undefined {
  if (addonRuntime() === undefined) return undefined;
  for (const require of requires()) {
    for (const folder of require.resolve.paths(W3C_PACKAGE) ?? []) {
      let entry: string;
      try {
        const { exports } = require(`${folder}/${W3C_PACKAGE}/package.json`) as W3cPackage;
        entry = exports["."].node.import;
      } catch {
        // Not installed there.
        continue;
      }
      try {
        return require(`${folder}/${W3C_PACKAGE}/${entry}`) as W3cModule;
      } catch (cause) {
        throw new TeleQuickError(
          "ERR_TRANSPORT_UNAVAILABLE",
          `Cannot connect: ${W3C_PACKAGE} is installed, but cannot be loaded, expected Node 20.19 or newer and its dependencies (or ${PACKAGE} in its place)`,
          { cause },
        );
      }
    }
  }
  return undefined;
}

/**
 * Loads the addon through its platform package: the package's own entry is TypeScript, which Node refuses (runtimes.md section 0.10).
 *
 * @param action What it is for, as in "Cannot ...".
 * @returns `undefined` when the package is not installed, or this runtime loads no addons.
 */
export function loadAddon(action: string): NapiAddon | undefined {
  if (addonRuntime() === undefined) return undefined;
  const require = requireFrom(PACKAGE);
  if (require === undefined) return undefined;
  const platform = platformName();
  try {
    return require(`${PACKAGE}-${platform}`) as NapiAddon;
  } catch (cause) {
    throw cannotLoad(action, platform, cause);
  }
}

function cannotLoad(action: string, platform: string, cause: unknown): TeleQuickError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const glibc = /GLIBC_(\d+\.\d+)'? not found/.exec(text)?.[1];
  const found = glibc !== undefined
    ? `this system has glibc ${glibcVersion()}, expected ${glibc} or newer (use a newer system, as Debian 13 or Ubuntu 24.04)`
    : `its build for ${platform} cannot be loaded, expected ${PACKAGE}-${platform} to be installed beside it (install it without --omit=optional)`;
  return new TeleQuickError(
    "ERR_TRANSPORT_UNAVAILABLE",
    `Cannot ${action}: ${PACKAGE} is installed, but ${found}`,
    { cause },
  );
}

/** The error of a runtime without WebTransport: what to do there. */
export function unavailable(action: string): TeleQuickError {
  const runtime = addonRuntime();
  const install = runtime === "Bun" ? "bun add" : "npm install";
  const advice = "Deno" in globalThis
    ? `Deno hides its WebTransport and QUIC, expected the flag --unstable-net (or "unstable": ["net"] in deno.json)`
    : runtime !== undefined
    ? `${runtime} has no WebTransport of its own, expected a package that has (${install} ${PACKAGE})`
    : "this runtime has no WebTransport, expected Deno, Bun, Node or a browser (mint the token here, connect from one of these)";
  return new TeleQuickError("ERR_TRANSPORT_UNAVAILABLE", `Cannot ${action}: ${advice}`);
}

/** What looks for packages: from this module, then from the program. */
function requires(): Require[] {
  return [import.meta.url, processGlobal()?.argv?.[1]].flatMap((from) => {
    try {
      return from === undefined ? [] : requireOf(from);
    } catch {
      // A program without a file.
      return [];
    }
  });
}

/** A `require` that sees what stands beside an installed package. */
function requireFrom(name: string): Require | undefined {
  for (const require of requires()) {
    try {
      return requireOf(require.resolve(name))[0];
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

/** The `require` of a file: none where the runtime makes none. */
function requireOf(file: string): Require[] {
  const module = processGlobal()?.getBuiltinModule?.("node:module");
  return module === undefined ? [] : [module.createRequire(file)];
}

/** As the platform packages are named. */
function platformName(): string {
  const { platform = "", arch = "" } = processGlobal() ?? {};
  const libc = platform === "linux" ? "-gnu" : platform === "win32" ? "-msvc" : "";
  return `${platform}-${arch}${libc}`;
}

function glibcVersion(): string {
  const report = processGlobal()?.report?.getReport() as
    | { header?: { glibcVersionRuntime?: string } }
    | undefined;
  return report?.header?.glibcVersionRuntime ?? "of an older version";
}
