import { install, need } from "./install.ts";
import { root } from "../support/source.ts";
import { setUpGlibc } from "./setup_glibc.ts";

/** A JavaScript runtime on this machine. */
export interface Runtime {
  /** Its name and version, such as `"Node 22.23.3"`. */
  readonly title: string;
  /** The command that runs a module whose path follows. */
  readonly command: readonly [string, ...string[]];
}

/** Versions of Node that the conformance suite runs on, the oldest that is supported first, the newest last. */
export const nodeVersions = ["20.20.2", "22.23.3", "24.21.0", "26.10.0"] as const;

/** The oldest and the newest of them. */
export const [oldestNode, , , newestNode] = nodeVersions;

const BUN_VERSION = "1.4.5";

/** Whether a version of Node, such as `"v22.3.0"`, has what is used: `process.getBuiltinModule` came with 20.16 and with 22.3. */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 3) || (major === 20 && minor >= 16);
}

/**
 * Node of a version, fetched as a package of npm unless the machine's own is supported and of the same major version.
 *
 * @param wanted Default: the machine's own where it is supported, else the oldest that is.
 */
export async function node(wanted?: string): Promise<Runtime> {
  // As a path: a loader that starts it does not look for it.
  let command = (await need("sh", ["-c", "command -v node"])).trim();
  const own = (await need(command, ["--version"])).trim();
  const isFit = wanted === undefined || own.startsWith(`v${wanted.split(".")[0]}.`);
  if (!isFit || !isSupportedNode(own)) {
    const version = wanted ?? oldestNode;
    const folder = await install(`node-${version}`, {
      [`node-${osName()}-${cpuName("arm64")}`]: version,
    });
    command = `${folder.pathname}node_modules/node-${osName()}-${cpuName("arm64")}/bin/node`;
  }
  const found = (await need(command, ["--version"])).trim().slice(1);
  return { title: `Node ${found}`, command: [command] };
}

/** Bun, fetched as a package of npm. */
export async function bun(): Promise<Runtime> {
  const platform = `@oven/bun-${osName()}-${cpuName("aarch64")}`;
  const folder = await install(`bun-${BUN_VERSION}`, { [platform]: BUN_VERSION });
  const command = `${folder.pathname}node_modules/${platform}/bin/bun`;
  return { title: `Bun ${(await need(command, ["--version"])).trim()}`, command: [command] };
}

/** The version of workerd that the lockfile names. */
export async function workerdVersion(): Promise<string> {
  const lock = await Deno.readTextFile(new URL("deno.lock", root));
  return /"workerd@([\d.]+)"/.exec(lock)?.[1] ?? "";
}

/** workerd, fetched as a package of npm: its command takes what to do with a worker's configuration. */
export async function workerd(): Promise<Runtime> {
  const version = await workerdVersion();
  const platform = `@cloudflare/workerd-${Deno.build.os}-${cpuName("arm64").replace("x", "")}`;
  const folder = await install(`workerd-${version}`, { [platform]: version });
  const command = `${folder.pathname}node_modules/${platform}/bin/workerd`;
  return { title: `workerd ${version}`, command: [command] };
}

/** This very Deno. */
export function deno(): Runtime {
  return {
    title: `Deno ${Deno.version.deno}`,
    command: [Deno.execPath(), "run", "-A", "--unstable-net", "--frozen", "--quiet", "--no-check"],
  };
}

/** The same runtime with a C library that is new enough for the addon of `@moq/web-transport`, where the system's own is not. */
export async function withAddonLibrary({ title, command }: Runtime): Promise<Runtime> {
  const [first, ...rest] = [...await setUpGlibc(), ...command] as [string, ...string[]];
  return { title, command: [first, ...rest] };
}

function osName(): string {
  return Deno.build.os === "windows" ? "win" : Deno.build.os;
}

function cpuName(arm: string): string {
  return Deno.build.arch === "aarch64" ? arm : "x64";
}
