import { TeleQuickError } from "../../base/errors.ts";
import { messageOf } from "../../base/text/message.ts";
import { advise, type TransportAction, transportPackages } from "../advice.ts";
import {
  addonRuntime,
  isAtLeast,
  type Machine,
  requireFrom,
  requires,
  thisMachine,
} from "../packages.ts";
import type { WebTransportConstructor } from "../types.ts";
import type { NapiAddon } from "./napi_session.ts";

const { addon: PACKAGE, w3c: W3C_PACKAGE } = transportPackages;

/** The part of its `package.json` that says where its module is. */
interface W3cPackage {
  readonly exports: { readonly ".": { readonly node: { readonly import: string } } };
}

/** The part of that module which is used. */
interface W3cModule {
  readonly WebTransport: WebTransportConstructor;
  readonly quicheLoaded: Promise<unknown>;
}

/** What came of looking for a package that may be installed and yet not load. */
export interface Attempt<T> {
  /** What was loaded. */
  readonly value?: T;
  /** Why what is installed cannot be loaded. */
  readonly fault?: TeleQuickError;
}

/** Loads `@fails-components/webtransport` by the path that its `package.json` gives: it is made for `import`, and refuses a `require` by its name. */
export async function loadW3c(): Promise<Attempt<WebTransportConstructor>> {
  if (addonRuntime() === undefined) return {};
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
        const module = require(`${folder}/${W3C_PACKAGE}/${entry}`) as W3cModule;
        await module.quicheLoaded;
        return { value: module.WebTransport };
      } catch (cause) {
        const fault = new TeleQuickError(
          "ERR_TRANSPORT_UNAVAILABLE",
          `Cannot connect: ${W3C_PACKAGE} is installed in ${folder}, but cannot be loaded, expected Node 20.19 or newer and its dependencies (or another package: ${
            advise(thisMachine())
          })`,
          { cause },
        );
        return { fault };
      }
    }
  }
  return {};
}

/**
 * Loads the addon through its platform package: the package's own entry is TypeScript, which Node refuses.
 *
 * @param action What it is for, as in "Cannot ...".
 * @returns Neither a value nor a fault when the package is not installed, or this runtime loads no addons.
 */
export function loadAddon(action: TransportAction): Attempt<NapiAddon> {
  if (addonRuntime() === undefined) return {};
  const require = requireFrom(PACKAGE);
  if (require === undefined) return {};
  const machine = thisMachine();
  try {
    return { value: require(`${PACKAGE}-${buildName(machine)}`) as NapiAddon };
  } catch (cause) {
    return { fault: cannotLoad(action, machine, cause) };
  }
}

function cannotLoad(action: TransportAction, machine: Machine, cause: unknown): TeleQuickError {
  const text = messageOf(cause);
  const wanted = /GLIBC_(\d+\.\d+)'? not found/.exec(text)?.[1];
  const build = buildName(machine);
  const isOld = machine.platform === "linux" &&
    (machine.glibc === undefined || (wanted !== undefined && !isAtLeast(machine.glibc, wanted)));
  const found = isOld
    ? `this system has ${
      machine.glibc === undefined ? "a C library other than glibc" : `glibc ${machine.glibc}`
    }, expected glibc ${wanted ?? "2.38"} or newer; what works here: ${advise(machine, action)}`
    : `its build for ${build} cannot be loaded, expected ${PACKAGE}-${build} to be installed beside it (install it without --omit=optional, and keep it outside a bundle)`;
  return new TeleQuickError(
    "ERR_TRANSPORT_UNAVAILABLE",
    `Cannot ${action}: ${PACKAGE} is installed, but ${found}`,
    { cause },
  );
}

/** As the platform packages are named. */
function buildName({ platform, arch }: Machine): string {
  const libc = platform === "linux" ? "-gnu" : platform === "win32" ? "-msvc" : "";
  return `${platform}-${arch}${libc}`;
}
