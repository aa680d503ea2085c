import { transportPackages } from "../advice.ts";
import { addonRuntime, requireFrom, thisMachine } from "../packages.ts";
import type { QuicheAddon } from "./binding.ts";

const QUICHE_PACKAGE = transportPackages.quiche;

/** Loads the package's native module; `undefined` where it is not installed, or has no build that this machine can load. */
export function loadQuiche(): QuicheAddon | undefined {
  if (addonRuntime() === undefined) return undefined;
  // Its own entry is for `import` alone, and brings JavaScript that is not used.
  const require = requireFrom(`${QUICHE_PACKAGE}/package.json`);
  if (require === undefined) return undefined;
  const { platform, arch } = thisMachine();
  const builds = platform === "darwin" ? [arch, "universal"] : [arch];
  for (const build of builds) {
    try {
      return require(`${QUICHE_PACKAGE}-${platform}-${build}`) as QuicheAddon;
    } catch {
      // Not that one.
    }
  }
  return undefined;
}
