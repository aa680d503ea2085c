/**
 * Makes a C library that is new enough for the WebTransport addon of Bun and Node available beside the system's own, without root:
 * Debian trixie's, from the machine's own Debian mirror, in a cache folder. Nothing is done where the system's is new enough.
 *
 * `deno run -A scripts/matrix/setup_glibc.ts` prints the words to put before `node` or `bun`, which may be none.
 *
 * @module
 */

import { debianCache, unpackDebian } from "./debian.ts";
import { run } from "../support/run.ts";
import { print } from "../support/terminal.ts";

/** The oldest glibc that the addon loads on. */
const NEEDED = [2, 38] as const;
const SUITE = "trixie";
const PACKAGES = ["libc6", "libgcc-s1", "libstdc++6"];

/** Whether the addon loads with the library whose version `getconf GNU_LIBC_VERSION` prints. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []).map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

/**
 * Sets the library up, once: later calls find it in the cache.
 *
 * @param folder Where to. Default: `telequick/glibc-trixie` in the user's cache folder.
 * @returns The words to put before a program, none where nothing is needed. A program that is started so sees the loader as its own path.
 */
export async function setUpGlibc(
  folder: string = debianCache(`glibc-${SUITE}`),
): Promise<readonly string[]> {
  if (Deno.build.os !== "linux") return [];
  if (isNewEnough((await run("getconf", ["GNU_LIBC_VERSION"])).stdout)) return [];
  const triplet = `${Deno.build.arch}-linux-gnu`;
  const loaderName = { x86_64: "ld-linux-x86-64.so.2", aarch64: "ld-linux-aarch64.so.1" };
  const libraries = `${folder}/root/usr/lib/${triplet}`;
  const loader = `${libraries}/${loaderName[Deno.build.arch]}`;
  const prefix = [loader, "--library-path", libraries];
  if (await exists(loader)) return prefix;

  await unpackDebian(folder, { suite: SUITE, packages: PACKAGES, withDependencies: false });
  return prefix;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) print((await setUpGlibc()).join(" "));
