/**
 * Makes a C library that is new enough for the WebTransport addon of Bun and Node available beside the system's own, without root:
 * Debian trixie's, from the machine's own Debian mirror, in a cache folder. Nothing is done where the system's is new enough.
 *
 * `deno run -A scripts/matrix/setup_glibc.ts` prints the words to put before `node` or `bun`, which may be none.
 *
 * @module
 */

import { run } from "../support/run.ts";
import { print } from "../support/terminal.ts";

/** The oldest glibc that the addon loads on. */
const NEEDED = [2, 38] as const;
const SUITE = "trixie";
const PACKAGES = ["libc6", "libgcc-s1", "libstdc++6"];

/** A Debian mirror, as apt knows it. */
export interface DebianMirror {
  /** The mirror's address. */
  readonly uri: string;
  /** The keyring that its signatures are checked with, where the machine names one. */
  readonly signedBy?: string;
}

/**
 * Finds the machine's Debian mirror in apt's source files, in either of their two formats.
 *
 * @param texts The contents of `/etc/apt/sources.list` and of the files in `/etc/apt/sources.list.d`.
 * @returns The first that serves Debian's `main` itself, not its security updates.
 */
export function findDebianMirror(texts: readonly string[]): DebianMirror | undefined {
  for (const text of texts) {
    for (const mirror of [...stanzas(text), ...lines(text)]) {
      if (/\/debian\/?$/.test(mirror.uri)) return mirror;
    }
  }
  return undefined;
}

/** The deb822 format: stanzas of fields (sources.list(5)). */
function stanzas(text: string): DebianMirror[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:[ \\t]*(\\S+)`, "mi").exec(stanza)?.[1];
    const uri = field("URIs");
    const isBinary = /^Types:(?:.*[ \t])?deb(?:\s|$)/mi.test(stanza);
    const isMain = /^Components:.*\bmain\b/mi.test(stanza);
    if (uri === undefined || !isBinary || !isMain) return [];
    const signedBy = field("Signed-By");
    return [signedBy?.startsWith("/") ? { uri, signedBy } : { uri }];
  });
}

/** The one-line format: `deb [options] uri suite component...`. */
function lines(text: string): DebianMirror[] {
  return [...text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+\S+\s+(?=.*\bmain\b)/gm)].map(
    ([, options = "", uri = ""]) => {
      const signedBy = /signed-by=(\/[^\s,]+)/.exec(options)?.[1];
      return signedBy === undefined ? { uri } : { uri, signedBy };
    },
  );
}

/** Decides from what `getconf GNU_LIBC_VERSION` prints whether the addon loads. */
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
export async function setUpGlibc(folder: string = cacheFolder()): Promise<readonly string[]> {
  if (Deno.build.os !== "linux") return [];
  if (isNewEnough((await run("getconf", ["GNU_LIBC_VERSION"])).stdout)) return [];
  const triplet = `${Deno.build.arch}-linux-gnu`;
  const loaderName = { x86_64: "ld-linux-x86-64.so.2", aarch64: "ld-linux-aarch64.so.1" };
  const libraries = `${folder}/root/usr/lib/${triplet}`;
  const loader = `${libraries}/${loaderName[Deno.build.arch]}`;
  const prefix = [loader, "--library-path", libraries];
  if (await exists(loader)) return prefix;

  const mirror = findDebianMirror(await readSources());
  if (mirror === undefined) {
    throw new Error("Cannot set up glibc: /etc/apt names no Debian mirror, expected one");
  }
  // Made beside its place and moved there when it is whole: an interrupted run leaves nothing that looks like a result.
  await Deno.mkdir(folder, { recursive: true });
  const work = await Deno.makeTempDir({ dir: folder });
  try {
    await download(mirror, work);
    await Deno.remove(`${folder}/root`, { recursive: true }).catch(() => {});
    await Deno.rename(`${work}/root`, `${folder}/root`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return prefix;
}

async function download(mirror: DebianMirror, work: string): Promise<void> {
  const signedBy = mirror.signedBy === undefined ? "" : `[signed-by=${mirror.signedBy}] `;
  await Deno.writeTextFile(`${work}/sources.list`, `deb ${signedBy}${mirror.uri} ${SUITE} main\n`);
  for (const part of ["state/lists/partial", "cache/archives/partial", "debs", "root"]) {
    await Deno.mkdir(`${work}/${part}`, { recursive: true });
  }
  const options = [
    ...["-o", `Dir::Etc::sourcelist=${work}/sources.list`, "-o", "Dir::Etc::sourceparts=-"],
    ...["-o", `Dir::State=${work}/state`, "-o", `Dir::Cache=${work}/cache`],
    ...["-o", "Dir::State::status=/var/lib/dpkg/status", "-o", "APT::Sandbox::User="],
  ];
  await need("apt-get", [...options, "update"], work);
  const wanted = PACKAGES.map((name) => `${name}/${SUITE}`);
  await need("apt-get", [...options, "download", ...wanted], `${work}/debs`);
  for await (const { name } of Deno.readDir(`${work}/debs`)) {
    await need("dpkg", ["-x", `debs/${name}`, "root"], work);
  }
}

async function need(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { ok, output } = await run(command, args, { cwd, timeoutMs: 300_000 });
  if (!ok) throw new Error(`Cannot set up glibc: ${command} failed:\n${output}`);
}

async function readSources(): Promise<string[]> {
  const paths = ["/etc/apt/sources.list"];
  try {
    for await (const { name } of Deno.readDir("/etc/apt/sources.list.d")) {
      if (/\.(?:list|sources)$/.test(name)) paths.push(`/etc/apt/sources.list.d/${name}`);
    }
  } catch {
    // There is no such folder.
  }
  const texts = await Promise.all(paths.map((path) => Deno.readTextFile(path).catch(() => "")));
  return texts.filter((text) => text !== "");
}

function cacheFolder(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/telequick/glibc-${SUITE}`;
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
