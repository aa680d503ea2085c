import { TeleQuickError } from "../base/errors.ts";
import {
  addonRuntime,
  isAtLeast,
  isOnDeno,
  type Machine,
  searchedFolders,
  thisMachine,
} from "./packages.ts";

/** Packages that bring WebTransport, or the QUIC for it, to Bun and Node, best first. */
export const transportPackages = {
  addon: "@moq/web-transport",
  quiche: "@matrixai/quic",
  w3c: "@fails-components/webtransport",
} as const;

// `objdump -T` of the prebuilt modules: what they need of glibc.
const ADDON_GLIBC = "2.38";
const QUICHE_GLIBC = "2.34";
const DENO_COMMAND = "npx deno run -A --unstable-net program.js";
const LISTEN_COMMAND =
  "npx deno run -A --unstable-net node_modules/@telequick/sdk/esm/cli.js gateway";

/** What a transport is wanted for, as in "Cannot ...". */
export type TransportAction = "connect" | "listen";

/** The package to install on a machine; `undefined` where none has a build for it. Only the addon can listen. */
export function fittingPackage(
  { platform, arch, glibc }: Machine,
  action: TransportAction = "connect",
): string | undefined {
  const hasGlibc = (wanted: string): boolean => glibc !== undefined && isAtLeast(glibc, wanted);
  const isCommon = arch === "x64" || arch === "arm64";
  if (platform === "darwin" && isCommon) return transportPackages.addon;
  if (platform === "win32" && arch === "x64") return transportPackages.addon;
  if (platform !== "linux" || !isCommon) return undefined;
  if (hasGlibc(ADDON_GLIBC)) return transportPackages.addon;
  if (action === "listen" || arch !== "x64") return undefined;
  return hasGlibc(QUICHE_GLIBC) ? transportPackages.quiche : undefined;
}

/** A machine, as messages name it: what no package has a build for. */
export function machineName({ platform, arch, glibc }: Machine): string {
  const library = platform !== "linux"
    ? ""
    : ` with ${glibc ? `glibc ${glibc}` : "another C library than glibc"}`;
  return `${platform}-${arch}${library}`;
}

/** What to do where the packages that are installed cannot be used: "install ..." or the way without them. */
export function advise(machine: Machine, action: TransportAction = "connect"): string {
  const fitting = fittingPackage(machine, action);
  if (fitting === undefined && action === "listen") {
    return `run the gateway with Deno, which listens itself (${LISTEN_COMMAND})`;
  }
  return fitting === undefined
    ? `no package has a build for ${
      machineName(machine)
    }: run the program with Deno, which has WebTransport itself (${DENO_COMMAND})`
    : `${installCommand(fitting)}`;
}

/** The command that installs a package on this runtime. */
function installCommand(name: string): string {
  return `${addonRuntime() === "Bun" ? "bun add" : "npm install"} ${name}`;
}

/** The error of a runtime without WebTransport: what was looked for, where, and what to do there. */
export function unavailable(action: TransportAction): TeleQuickError {
  return new TeleQuickError("ERR_TRANSPORT_UNAVAILABLE", `Cannot ${action}: ${reason(action)}`);
}

function reason(action: TransportAction): string {
  if ((globalThis as { readonly isSecureContext?: boolean }).isSecureContext === false) {
    return "a page that is not a secure context has no WebTransport (serve it over https or from localhost)";
  }
  const runtime = addonRuntime();
  if (isOnDeno()) {
    return `Deno hides its WebTransport and QUIC, expected the flag --unstable-net (or "unstable": ["net"] in deno.json)`;
  }
  if (runtime === undefined) {
    return "this runtime has no WebTransport, expected Deno, Bun, Node or a browser (mint the token here, connect from one of these)";
  }
  const machine = thisMachine();
  const folders = searchedFolders(transportPackages.addon);
  const places = folders.length === 0
    ? "this program's place is unknown"
    : `looked in ${folders.slice(0, 3).join(", ")}${folders.length > 3 ? " and above" : ""}`;
  const fitting = fittingPackage(machine, action);
  const none = action === "listen"
    ? `no package that can listen has a build for ${machineName(machine)}: `
    : "";
  return fitting === undefined
    ? `${runtime} has no WebTransport of its own, and ${none}${advise(machine, action)}`
    : `${runtime} has no WebTransport of its own, expected a package that has: ${
      advise(machine, action)
    } ` +
      `(${places}; in a bundle or a copied server keep the package outside the bundle, or pass webTransport yourself)`;
}
