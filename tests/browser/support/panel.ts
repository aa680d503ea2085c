/**
 * The panel in real Chromium.
 *
 * @module
 */

import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../../../scripts/matrix/browser.ts";
import { writeSite } from "../../../scripts/build/panel.ts";
import type { Gateway } from "../../../src/gateway/mod.ts";
import { startPanel } from "../../../src/panel/mod.ts";

/** A panel, and a browser that has not opened it yet. */
export interface PanelStage extends AsyncDisposable {
  readonly browser: Browser;
  /** The page's address with its key. */
  readonly url: string;
  /** The same without. */
  readonly origin: string;
  readonly key: string;
  /** Opens the page and waits until it shows the gateway. */
  open(options?: Parameters<Browser["newPage"]>[0]): Promise<Page>;
  /** What pages have thrown or reported to their consoles. */
  readonly faults: readonly string[];
}

/** Options of {@linkcode openPanel}. */
export interface OpenPanelOptions {
  readonly gateway: Gateway;
  readonly endpoint?: string;
  readonly certificateHash?: string;
  /** Chromium's flags. */
  readonly flags?: readonly string[];
}

let site: Promise<URL> | undefined;

/** The page's files, made once for all tests of a run. */
export function makeSite(): Promise<URL> {
  return site ??= (async () => {
    const folder = new URL(`file://${await Deno.makeTempDir({ prefix: "panel-site-" })}/`);
    addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    await writeSite(folder);
    return folder;
  })();
}

/** Opens the panel of a gateway. */
export async function openPanel(options: OpenPanelOptions): Promise<PanelStage> {
  const { gateway, endpoint = "https://127.0.0.1:1", certificateHash = "", flags = [] } = options;
  const panel = (await startPanel({
    ...{ gateway, endpoint, certificateHashes: [certificateHash] },
    ...{ tenantId: "acme", trunkId: "trunk-1", program: "const call = await client.dial();" },
    folder: await makeSite(),
  }))!;
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    // Chromium's own sandbox needs rights that a container has not.
    args: ["--no-sandbox", ...flags],
  });
  const { origin, hash } = new URL(panel.url);
  const faults: string[] = [];
  return {
    ...{ browser, url: panel.url, origin, key: hash.slice(1), faults },
    async open(pageOptions = {}) {
      const page = await browser.newPage(pageOptions);
      page.on("pageerror", ({ stack, message }) => faults.push(stack ?? message));
      page.on("console", (line) => {
        if (line.type() === "error") faults.push(line.text());
      });
      await page.goto(panel.url);
      await page.getByText("Live", { exact: true }).waitFor();
      return page;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await panel.close();
    },
  };
}
