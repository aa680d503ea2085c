/**
 * A page in real Chromium with a microphone that is fed from a file, and the local gateway behind it over QUIC.
 *
 * @module
 */

import * as esbuild from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { generateServiceAccount, importSigner, mintBrowserToken } from "../../../mod.ts";
import { findChromium } from "../../../scripts/matrix/browser.ts";
import { readManifest } from "../../../scripts/build/manifest.ts";
import { buildWorklet } from "../../../scripts/build/worklet.ts";
import { root } from "../../../scripts/support/source.ts";
import { createGateway, type Gateway } from "../../../src/gateway/mod.ts";
import { writeSpeech } from "./speech.ts";

/** Options of {@linkcode openStage}. */
export interface StageOptions {
  /** The module that the page loads. Default: `page.ts`. */
  readonly module?: string;
  /** Headers of the page, for example its Content Security Policy. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further flags of Chromium. */
  readonly flags?: readonly string[];
  /** What Chromium does with the question for the microphone. Default: `"granted"`. */
  readonly permission?: "granted" | "denied";
  /** Whether there is a microphone at all. Default: `true`. */
  readonly hasMicrophone?: boolean;
}

/** A page, its browser and its gateway. */
export interface Stage extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly browser: Browser;
  readonly page: Page;
  /** The page's address. */
  readonly url: string;
  /** The call that the page has placed last. */
  /** Calls a function that the page's module has made, with one argument that JSON carries, and gives what it resolves with. */
  call<T>(name: string, argument?: unknown): Promise<T>;
}

const tenantId = "acme";

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

/** Opens a stage. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { headers = {}, flags = [], permission = "granted", hasMicrophone = true } = options;
  const { module = "tests/browser/support/page.ts" } = options;
  const folder = await Deno.makeTempDir({ prefix: "browser-" });
  await writeSpeech(`${folder}/speech.wav`);
  const scripts: Record<string, string> = {
    "/module.mjs": await bundlePage(module),
    "/worker.mjs": await bundlePage("tests/browser/support/worker.ts"),
    "/worklet.js": await buildWorklet(),
  };
  const gateway = createGateway();
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId });
  await gateway.publishServiceAccount({
    tenantId,
    privateKeyId: account.privateKeyId,
    publicKeyPem,
  });
  await gateway.addTrunk({ tenantId, trunkId: "acme-trunk" });
  const signer = await importSigner(account);
  const { endpoint, certificateHash } = await gateway.listen({ hostname: "127.0.0.1" });
  const html = '<!doctype html><title>stage</title><button id="go">go</button>' +
    '<script type="module" src="/module.mjs"></script>';
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") {
      return new Response(html, { headers: { "content-type": "text/html", ...headers } });
    }
    if (pathname === "/token") return new Response(await mintBrowserToken(signer));
    if (pathname === "/gateway") return Response.json({ endpoint, certificateHash });
    const script = scripts[pathname];
    return script === undefined
      ? new Response(null, { status: 404 })
      : new Response(script, { headers: { "content-type": "text/javascript" } });
  });
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [
      // Chromium's own sandbox needs rights that a container has not.
      "--no-sandbox",
      ...(hasMicrophone ? ["--use-fake-device-for-media-stream"] : []),
      `--use-file-for-fake-audio-capture=${folder}/speech.wav`,
      ...(permission === "granted"
        ? ["--use-fake-ui-for-media-stream"]
        : ["--use-fake-ui-for-media-stream=deny"]),
      ...flags,
    ],
  });
  const page = await browser.newPage();
  const thrown: string[] = [];
  page.on("pageerror", (error) => thrown.push(error.stack ?? error.message));
  const url = `http://127.0.0.1:${server.addr.port}/`;
  await page.goto(url);
  await page.waitForFunction(() => "ready" in globalThis);
  return {
    gateway,
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
      await server.shutdown();
      await gateway.close();
      await esbuild.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
