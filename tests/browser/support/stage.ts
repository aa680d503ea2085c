/**
 * A page in real Chromium with a microphone that is fed from a file, and its local gateway over QUIC.
 *
 * @module
 */

import * as esbuild from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import {
  generateServiceAccount,
  importSigner,
  mintBrowserToken,
  type ServiceAccount,
} from "../../../mod.ts";
import { findChromium } from "../../../scripts/matrix/browser.ts";
import { readManifest } from "../../../scripts/build/manifest.ts";
import { buildWorklet } from "../../../scripts/build/worklet.ts";
import { root } from "../../../scripts/support/source.ts";
import { createGateway, type Gateway } from "../../../src/gateway/mod.ts";
import type { TestPage } from "./page_checks.ts";
import { speechSamples, writeSound } from "./sound.ts";

/** Options of {@linkcode openOrigin}. */
export interface OriginOptions {
  /** What the microphone hears, at 48 kHz. Default: speech. */
  readonly sound?: Int16Array;
  /** Headers of the page, for example its Content Security Policy. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the program that the page runs instead of the tests' functions. */
  readonly program?: (endpoint: string, certificateHash: string) => Promise<string>;
}

/** The gateway that a page's client dials. */
export interface Target {
  readonly endpoint: string;
  readonly certificateHash: string;
  readonly account: ServiceAccount;
  readonly trunkId: string;
}

/** Where a page comes from: its server, and the flags with which Chromium has a microphone. */
export interface Origin extends AsyncDisposable {
  /** The page's address. */
  readonly url: string;
  /** Chromium's flags. */
  readonly flags: readonly string[];
}

/** Options of {@linkcode openStage}. */
export interface StageOptions extends OriginOptions {
  /** Another address for the page, by the one that it is served at. */
  readonly address?: (url: string) => string;
  /** Further flags of Chromium. */
  readonly flags?: readonly string[];
  /** What becomes of the question for the microphone. Default: `"granted"`. */
  readonly permission?: "granted" | "denied";
  /** Whether there is a microphone at all. Default: `true`. */
  readonly hasMicrophone?: boolean;
}

/** An origin with a gateway of its own, in this process. */
export interface OriginWithGateway extends Origin {
  readonly gateway: Gateway;
}

/** A page and its browser. */
export interface OpenPage extends Origin, TestPage {
  readonly browser: Browser;
  readonly page: Page;
}

/** A page, its browser and its gateway. */
export interface Stage extends OpenPage, OriginWithGateway {}

const tenantId = "acme";
const trunkId = "acme-trunk";

/** Bundles a module for a page, the package by its name included. */
export async function bundlePage(entry: string, minify = false): Promise<string> {
  const { name, exports } = await readManifest();
  const alias = Object.fromEntries(
    Object.entries(exports).map(([door, path]) => [
      name + door.slice(1),
      new URL(path, root).pathname,
    ]),
  );
  const { outputFiles: [file] } = await esbuild.build({
    absWorkingDir: root.pathname,
    entryPoints: [entry],
    // The longest names first: esbuild takes the first alias that begins the specifier.
    alias: Object.fromEntries(Object.entries(alias).sort(([a], [b]) => b.length - a.length)),
    bundle: true,
    minify,
    format: "esm",
    platform: "browser",
    target: "es2022",
    sourcemap: minify ? false : "inline",
    write: false,
  });
  return file!.text;
}

let scripts: Promise<Record<string, string>> | undefined;

async function bundleAll(): Promise<Record<string, string>> {
  const made = {
    "/module.mjs": await bundlePage("tests/browser/support/page.ts"),
    "/worker.mjs": await bundlePage("tests/browser/support/worker.ts"),
    "/idle.mjs": "",
    "/worklet.js": await buildWorklet(),
  };
  await esbuild.stop();
  return made;
}

/** Serves the page, and starts its gateway. */
export async function openOrigin(options: OriginOptions = {}): Promise<OriginWithGateway> {
  const gateway = createGateway();
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId });
  const { privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId });
  const { endpoint, certificateHash } = await gateway.listen({ hostname: "127.0.0.1" });
  const origin = await servePage({ endpoint, certificateHash, account, trunkId }, options);
  return {
    ...origin,
    gateway,
    async [Symbol.asyncDispose]() {
      await origin[Symbol.asyncDispose]();
      await gateway.close();
    },
  };
}

/** Serves the page for a gateway that runs already. */
export async function servePage(target: Target, options: OriginOptions = {}): Promise<Origin> {
  const { endpoint, certificateHash, account, trunkId } = target;
  const { headers = {}, sound = speechSamples(), program } = options;
  const files = { ...await (scripts ??= bundleAll()) };
  const folder = await Deno.makeTempDir({ prefix: "browser-" });
  await writeSound(`${folder}/sound.wav`, sound);
  const signer = await importSigner(account);
  if (program !== undefined) {
    const entry = `${folder}/program.ts`;
    const ready = "\nObject.assign(globalThis, { ready: true });\n";
    await Deno.writeTextFile(entry, await program(endpoint, certificateHash) + ready);
    files["/module.mjs"] = await bundlePage(entry);
    await esbuild.stop();
  }
  const html = '<!doctype html><title>stage</title><button id="go">go</button>' +
    '<script type="module" src="/module.mjs"></script>';
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") {
      return new Response(html, { headers: { "content-type": "text/html", ...headers } });
    }
    if (pathname === "/token") return new Response(await mintBrowserToken(signer));
    if (pathname === "/gateway") return Response.json({ endpoint, certificateHash, trunkId });
    const file = files[pathname];
    return file === undefined
      ? new Response(null, { status: 404 })
      : new Response(file, { headers: { "content-type": "text/javascript" } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    flags: [
      // Chromium's own sandbox needs rights that a container has not.
      "--no-sandbox",
      "--use-fake-device-for-media-stream=device-count=2",
      `--use-file-for-fake-audio-capture=${folder}/sound.wav`,
      "--use-fake-ui-for-media-stream",
    ],
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Opens a page, with a gateway of its own. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const origin = await openOrigin(options);
  return { ...await openPage(origin, options), gateway: origin.gateway };
}

/** Opens the page of an origin. */
export async function openPage(origin: Origin, options: StageOptions = {}): Promise<OpenPage> {
  const { flags = [], permission = "granted", hasMicrophone = true } = options;
  const { address = (url: string) => url } = options;
  const own = origin.flags
    .filter((flag) => hasMicrophone || !flag.includes("device-for-media"))
    .map((flag) => permission === "denied" && flag.includes("fake-ui") ? `${flag}=deny` : flag);
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [...own, ...flags],
  });
  const page = await browser.newPage();
  const thrown: string[] = [];
  page.on("pageerror", (error) => thrown.push(error.stack ?? error.message));
  const url = address(origin.url);
  await page.goto(url);
  await page.waitForFunction(() => "ready" in globalThis);
  return {
    flags: own,
    browser,
    page,
    url,
    async call<T>(name: string, argument?: unknown): Promise<T> {
      const result = await page.evaluate(
        ([name, argument]) =>
          (globalThis as unknown as Record<string, (argument: unknown) => unknown>)[
            name as string
          ]!(argument),
        [name, argument],
      );
      if (thrown.length > 0) throw new Error(`The page failed:\n${thrown.join("\n")}`);
      return result as T;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await origin[Symbol.asyncDispose]();
    },
  };
}
