/**
 * Packages of a newer Debian in a cache folder, without root: from the machine's own mirror.
 *
 * @module
 */

import { need } from "./install.ts";

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

/** What to unpack. */
export interface DebianWish {
  /** The release, such as `trixie`. */
  readonly suite: string;
  readonly packages: readonly string[];
  /** Whether with everything that they depend on, the C library included. */
  readonly withDependencies: boolean;
}

/**
 * Downloads packages and unpacks them into `root/` of a folder, whole or not at all: an interrupted run leaves nothing that looks like a result.
 *
 * @throws `Error` where apt knows no Debian mirror.
 */
export async function unpackDebian(folder: string, wish: DebianWish): Promise<void> {
  const mirror = findDebianMirror(await readSources());
  if (mirror === undefined) {
    throw new Error(
      `Cannot fetch ${wish.packages.join(", ")}: /etc/apt names no Debian mirror, expected one`,
    );
  }
  await Deno.mkdir(folder, { recursive: true });
  const work = await Deno.makeTempDir({ dir: folder });
  try {
    await download(mirror, wish, work);
    await Deno.remove(`${folder}/root`, { recursive: true }).catch(() => {});
    await Deno.rename(`${work}/root`, `${folder}/root`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function download(
  mirror: DebianMirror,
  { suite, packages, withDependencies }: DebianWish,
  work: string,
): Promise<void> {
  const signedBy = mirror.signedBy === undefined ? "" : `[signed-by=${mirror.signedBy}] `;
  await Deno.writeTextFile(`${work}/sources.list`, `deb ${signedBy}${mirror.uri} ${suite} main\n`);
  for (const part of ["state/lists/partial", "cache/archives/partial", "debs", "root"]) {
    await Deno.mkdir(`${work}/${part}`, { recursive: true });
  }
  // As on a machine on which nothing is installed: then all that is needed is downloaded.
  await Deno.writeTextFile(`${work}/status`, "");
  const options = [
    ...["-o", `Dir::Etc::sourcelist=${work}/sources.list`, "-o", "Dir::Etc::sourceparts=-"],
    ...["-o", `Dir::State=${work}/state`, "-o", `Dir::Cache=${work}/cache`],
    ...["-o", `Dir::State::status=${work}/status`, "-o", "APT::Sandbox::User="],
  ];
  const apt = (...args: readonly string[]): Promise<string> =>
    need("apt-get", [...options, ...args], { cwd: `${work}/debs` });
  await apt("update");
  let debs = `${work}/debs`;
  if (withDependencies) {
    await apt("install", "-y", "--no-install-recommends", "--download-only", ...packages);
    debs = `${work}/cache/archives`;
  } else await apt("download", ...packages.map((name) => `${name}/${suite}`));
  for await (const { name } of Deno.readDir(debs)) {
    if (name.endsWith(".deb")) await need("dpkg", ["-x", `${debs}/${name}`, `${work}/root`]);
  }
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

/** Where unpacked packages of Debian are kept, by name. */
export function debianCache(name: string): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/telequick/${name}`;
}
