import { chromium } from "playwright-core";
import { need } from "./install.ts";
import { run } from "../support/run.ts";

/** A page of Debian's Chromium without a window. */
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

/**
 * Opens a page that is served from 127.0.0.1, which browsers trust as they trust https:.
 *
 * @param module Path of a module that the page loads.
 * @param serve Answers what else the page asks its server for. Default: 404.
 */
export async function openPage(
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
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    // Chromium's own sandbox needs rights that a container has not.
    args: ["--no-sandbox"],
  });
  const page = await browser.newPage();
  const thrown: string[] = [];
  page.on("pageerror", (error) => thrown.push(error.stack ?? error.message));
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  return {
    title: `Chromium ${browser.version()}`,
    async call(name) {
      const result = await page.evaluate(
        (name) => (globalThis as unknown as Record<string, () => unknown>)[name]!(),
        name,
      );
      if (thrown.length > 0) throw new Error(`The page failed:\n${thrown.join("\n")}`);
      return result;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.shutdown();
    },
  };
}

/** Where Debian's Chromium is; installs it when it is not there. */
export async function findChromium(): Promise<string> {
  const find = async (): Promise<string> =>
    (await run("sh", ["-c", "command -v chromium"])).stdout.trim();
  const path = await find();
  if (path !== "") return path;
  const asRoot = Deno.uid() === 0 ? [] : ["sudo"];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  for (
    const args of [["update", "-qq"], [
      "install",
      "-y",
      "-qq",
      "--no-install-recommends",
      "chromium",
    ]]
  ) {
    const [command, ...rest] = [...asRoot, "apt-get", ...args] as [string, ...string[]];
    await need(command, rest, { env });
  }
  return await find();
}
