import { TeleQuickError } from "../errors.ts";
import { type NapiAddon, napiWebTransport } from "./napi_session.ts";
import type { WebTransportConstructor } from "./types.ts";

const PACKAGE = "@moq/web-transport";

type Require = ((name: string) => unknown) & { resolve(name: string): string };

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
 * Makes the constructor over an installed `@moq/web-transport`, on Bun and Node.
 *
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` when it is not installed, or its addon cannot be loaded; the message says the one thing to do.
 */
export function findWebTransport(): WebTransportConstructor {
  const addon = loadAddon("connect");
  if (addon === undefined) throw unavailable("connect");
  return napiWebTransport(addon);
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

/** A `require` that sees what stands beside an installed package: looked for from this module, then from the program. */
function requireFrom(name: string): Require | undefined {
  const module = processGlobal()?.getBuiltinModule?.("node:module");
  for (const from of [import.meta.url, processGlobal()?.argv?.[1]]) {
    try {
      return module?.createRequire(module.createRequire(from ?? "").resolve(name));
    } catch {
      // Not installed there.
    }
  }
  return undefined;
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
