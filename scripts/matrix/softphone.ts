import { chromium } from "playwright-core";
import { generateServiceAccount, importSigner } from "../../src/credentials/mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { mintBrowserToken } from "../../src/token/mod.ts";
import { findChromium } from "./browser.ts";
import { install, need } from "./install.ts";
import { newestNode, node } from "./runtimes.ts";
import { root } from "../support/source.ts";

const VITE = "8.4.0";
const TRUNK = "trunk-1";
const FILES = ["index.html", "main.js"];
const LONGEST_MS = 30_000;
const FLAGS = [
  // Chromium's own sandbox needs rights that a container does not have.
  "--no-sandbox",
  // A microphone that beeps once a second, and no question about it.
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

/**
 * Builds the softphone of `tests/examples/` with Vite and the package, and makes a call with it in Chromium.
 *
 * @returns What was wrong; empty when the far end heard the microphone and the page said how the call ended.
 */
export async function runSoftphone(tarball: string): Promise<readonly string[]> {
  const folder = await install("examples-softphone", { "@telequick/sdk": tarball, vite: VITE });
  for (const name of FILES) {
    const source = new URL(`tests/examples/softphone/${name}`, root);
    await Deno.copyFile(source, new URL(name, folder));
  }
  const { command: [command, ...words] } = await node(newestNode);
  await need(command, [...words, "node_modules/vite/bin/vite.js", "build"], { cwd: folder });

  let loud = 0;
  const gateway = createGateway({
    farEnd: () => ({
      script: [
        { type: "ring", ms: 200 },
        { type: "answer" },
        { type: "talk", ms: 3_000 },
        { type: "hangUp" },
      ],
      onAudio({ samples }) {
        if (samples.some((sample) => Math.abs(sample) > 1_000)) loud++;
      },
    }),
  });
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  const { tenantId, privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId: TRUNK });
  const { endpoint, certificateHash } = await gateway.listen();
  const signer = await importSigner(account);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/settings") {
      return Response.json({ endpoint, certificateHash, trunkId: TRUNK });
    }
    if (pathname === "/telequick-token") return new Response(await mintBrowserToken(signer));
    return await fileOf(folder, pathname);
  });
  const browser = await chromium.launch({ executablePath: await findChromium(), args: FLAGS });
  try {
    const page = await browser.newPage();
    const thrown: string[] = [];
    page.on("pageerror", (error) => thrown.push(error.stack ?? error.message));
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.getByRole("button", { name: "Call" }).click();
    const output = page.getByRole("status");
    await page.waitForFunction(
      '/^ended|Cannot/.test(document.querySelector("output").value)',
      undefined,
      { timeout: LONGEST_MS },
    ).catch((error) => thrown.push(String(error)));
    const text = await output.textContent();
    if (text !== "ended after 3 s: normal call clearing") thrown.push(`the page says: ${text}`);
    // The fake microphone beeps for a few frames each second.
    if (loud < 5) thrown.push(`the far end heard ${loud} loud frames of the microphone`);
    return thrown;
  } finally {
    await browser.close();
    await server.shutdown();
    await gateway.close();
  }
}

const types: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
};

/** A file that Vite has built. */
export async function fileOf(folder: URL, pathname: string): Promise<Response> {
  const path = pathname === "/" ? "index.html" : pathname.slice(1);
  const type = types[path.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  try {
    const bytes = await Deno.readFile(new URL(`dist/${path}`, folder));
    return new Response(bytes, { headers: { "content-type": type } });
  } catch {
    return new Response(null, { status: 404 });
  }
}
