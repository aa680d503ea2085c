import { run, type RunOptions } from "../support/run.ts";
import { root } from "../support/source.ts";

/** Packages and their exact versions, or paths of tarballs. */
export type Dependencies = Readonly<Record<string, string>>;

/** Where scripts keep what they install: git-ignored, safe to delete. */
export const cache: URL = new URL(".cache/", root);

// Legs that run side by side ask for the same folder.
const installing = new Map<string, Promise<URL>>();

/**
 * Installs packages of npm in a folder of their own, once: a folder that holds the same ones is used again. Their install scripts do not run.
 *
 * @param name The folder's name in the cache.
 * @param dependencies What to install.
 * @returns The folder, in which there is `node_modules/`.
 */
export function install(name: string, dependencies: Dependencies): Promise<URL> {
  const key = JSON.stringify([name, dependencies]);
  const started = installing.get(key) ?? installInto(name, dependencies);
  installing.set(key, started);
  return started;
}

async function installInto(name: string, dependencies: Dependencies): Promise<URL> {
  const folder = new URL(`${name}/`, cache);
  const stamp = new URL("installed.json", folder);
  const wanted = JSON.stringify(dependencies);
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return folder;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    new URL("package.json", folder),
    JSON.stringify({ private: true, type: "module", dependencies }),
  );
  await need("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  await Deno.writeTextFile(stamp, wanted);
  return folder;
}

/**
 * Runs a program that has to end well.
 *
 * @returns What it wrote to standard output.
 * @throws `Error` with all that it wrote.
 */
export async function need(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { ok, output, stdout } = await run(command, args, options);
  if (!ok) throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
  return stdout;
}
