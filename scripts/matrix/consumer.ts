import * as esbuild from "esbuild";
import { type Dependencies, install } from "./install.ts";
import { root } from "../support/source.ts";

/** A folder in which the built package is installed, as a user of npm has it. */
export interface Consumer {
  /** The folder. */
  readonly folder: URL;
  /**
   * Turns a module of the tests into one file in the folder.
   *
   * @param entry The module's path from the repository's folder.
   * @param packages Whether the package is imported from `node_modules` when it runs, or is part of the file.
   * @returns Path of the file.
   */
  bundle(entry: string, packages: "installed" | "inside"): Promise<string>;
}

/**
 * Installs the package.
 *
 * @param name The folder's name in the cache.
 * @param tarball The package's.
 * @param others What else its user has. Default: nothing.
 */
export async function installConsumer(
  name: string,
  tarball: string,
  others: Dependencies = {},
): Promise<Consumer> {
  const folder = await install(name, { "@telequick/sdk": tarball, ...others });
  return {
    folder,
    async bundle(entry, packages) {
      const outfile = new URL(`${entry.replaceAll("/", "-").replace(/\.ts$/, "")}.mjs`, folder);
      await esbuild.build({
        absWorkingDir: root.pathname,
        entryPoints: [entry],
        outfile: outfile.pathname,
        nodePaths: [new URL("node_modules", folder).pathname],
        bundle: true,
        format: "esm",
        platform: "neutral",
        target: "es2022",
        sourcemap: "inline",
        ...(packages === "installed" ? { packages: "external" } : {}),
      });
      await esbuild.stop();
      return outfile.pathname;
    },
  };
}
