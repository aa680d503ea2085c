import { chromium as playwright } from "playwright-core";
import puppeteer from "puppeteer-core";
import { need } from "./install.ts";
import { run } from "../support/run.ts";

/** A page of a browser without a window. */
export interface BrowserPage extends AsyncDisposable {
  /** The browser's name and version. */
  readonly title: string;
  /**
   * Loads a module into the page and calls a global function that it made.
   *
   * @param name The function, without arguments.
   * @returns What it resolved with, as JSON carries it.
   */
  call(name: string): Promise<unknown>;
}

/** A browser, as Debian packages it. */
export interface Browser {
  /** Its name. */
  readonly name: string;
  /** Starts it and opens a page. */
  open(url: string): Promise<OpenedPage>;
}

/** What a page's driver does. */
interface OpenedPage {
  readonly version: string;
  readonly thrown: readonly string[];
  call(name: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Debian's Chromium, over its own protocol. */
export const chromium: Browser = {
  name: "Chromium",
  async open(url) {
    const browser = await playwright.launch({
      executablePath: await findChromium(),
      // Chromium's own sandbox needs rights that a container has not.
      args: ["--no-sandbox"],
    });
    const page = await browser.newPage();
    const thrown: string[] = [];
    page.on("pageerror", (error) => thrown.push(error.stack ?? error.message));
    await page.goto(url);
    return {
      version: browser.version(),
      thrown,
      call: (name) => page.evaluate(callGlobal, name),
      close: () => browser.close(),
    };
  },
};

/** Debian's Firefox, over WebDriver BiDi. */
export const firefox: Browser = {
  name: "Firefox",
  async open(url) {
    const browser = await puppeteer.launch({
      browser: "firefox",
      executablePath: await findProgram("firefox-esr"),
      headless: true,
      // A suite is one call, which takes as long as its slowest check.
      protocolTimeout: 300_000,
    });
    const page = await browser.newPage();
    const thrown: string[] = [];
    page.on("pageerror", (error) => {
      thrown.push(error instanceof Error ? error.stack ?? error.message : String(error));
    });
    await page.goto(url);
    return {
      version: (await browser.version()).replace(/^\D*/, ""),
      thrown,
      call: (name) => page.evaluate(callGlobal, name),
      close: () => browser.close(),
    };
  },
};

/** Runs in the page. */
function callGlobal(name: string): unknown {
  return (globalThis as unknown as Record<string, () => unknown>)[name]!();
}

/**
 * Opens a page that is served from 127.0.0.1, which browsers trust as they trust https:.
 *
 * @param browser The browser.
 * @param module Path of a module that the page loads.
 * @param serve Answers what else the page asks its server for. Default: 404.
 */
export async function openPage(
  browser: Browser,
  module: string,
  serve: (request: Request) => Response | Promise<Response> = () =>
    new Response(null, { status: 404 }),
): Promise<BrowserPage> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") {
      const html =
        '<!doctype html><title>checks</title><script type="module" src="/module.mjs"></script>';
      return new Response(html, { headers: { "content-type": "text/html" } });
    }
    if (pathname !== "/module.mjs") return await serve(request);
    const text = await Deno.readTextFile(module);
    return new Response(text, { headers: { "content-type": "text/javascript" } });
  });
  const page = await browser.open(`http://127.0.0.1:${server.addr.port}/`);
  return {
    title: `${browser.name} ${page.version}`,
    async call(name) {
      const result = await page.call(name);
      if (page.thrown.length > 0) throw new Error(`The page failed:\n${page.thrown.join("\n")}`);
      return result;
    },
    async [Symbol.asyncDispose]() {
      await page.close();
      await server.shutdown();
    },
  };
}

/** Where Debian's Chromium is; installs it when it is not there. */
export function findChromium(): Promise<string> {
  return findProgram("chromium");
}

const finding = new Map<string, Promise<string>>();

/** Where a program is that Debian has a package of the same name for; installs that when it is not there. */
export function findProgram(name: string): Promise<string> {
  const found = finding.get(name) ?? findOrInstall(name);
  finding.set(name, found);
  return found;
}

async function findOrInstall(name: string): Promise<string> {
  const find = async (): Promise<string> =>
    (await run("sh", ["-c", `command -v ${name}`])).stdout.trim();
  const path = await find();
  if (path !== "") return path;
  await installDebian([name]);
  return await find();
}

/** Installs packages of Debian; waits for another installation to end. */
export async function installDebian(names: readonly string[]): Promise<void> {
  const asRoot = Deno.uid() === 0 ? [] : ["sudo"];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-qq", "-o", "DPkg::Lock::Timeout=300"];
  for (
    const args of [
      ["update", ...options],
      ["install", "-y", ...options, "--no-install-recommends", ...names],
    ]
  ) {
    const [command, ...rest] = [...asRoot, "apt-get", ...args] as [string, ...string[]];
    await need(command, rest, { env });
  }
}
