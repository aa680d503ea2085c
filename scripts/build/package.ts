import { cache, need } from "../matrix/install.ts";
import { runDeno } from "../support/run.ts";
import { root } from "../support/source.ts";

/** The npm package as `npm pack` makes it. */
export interface Packed {
  /** The package's folder before packing. */
  readonly folder: URL;
  /** Path of the tarball. */
  readonly tarball: string;
  /** Paths in the package, sorted. */
  readonly files: readonly string[];
  /** Size of the tarball and of what is unpacked from it, in bytes. */
  readonly bytes: { readonly packed: number; readonly unpacked: number };
}

/** Builds the npm package from the source as it is, and packs it. */
export async function packPackage(): Promise<Packed> {
  const built = await runDeno(["run", "-A", "--frozen", "--quiet", "scripts/build_npm.ts"]);
  if (!built.ok) throw new Error(`The npm build failed:\n${built.output}`);
  const folder = new URL("npm/", root);
  const destination = new URL("package/", cache).pathname;
  await Deno.remove(destination, { recursive: true }).catch(() => {});
  await Deno.mkdir(destination, { recursive: true });
  const json = await need(
    "npm",
    ["pack", "--json", `--pack-destination=${destination}`],
    { cwd: folder },
  );
  const [{ filename, files, size, unpackedSize }] = JSON.parse(json);
  return {
    folder,
    // Named by its contents, so that what was installed from another build is installed again.
    tarball: await nameByContents(`${destination}${filename}`),
    files: (files as { path: string }[]).map(({ path }) => path).sort(),
    bytes: { packed: size, unpacked: unpackedSize },
  };
}

async function nameByContents(tarball: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(tarball));
  const hex = new Uint8Array(hash).toHex().slice(0, 16);
  const named = tarball.replace(/[^/]+$/, `${hex}.tgz`);
  await Deno.rename(tarball, named);
  return named;
}
