/**
 * A page without Playwright, which keeps every page visible and takes every call for a click: Chromium is spoken to directly
 * (Chrome DevTools Protocol).
 *
 * @module
 */

import { findChromium } from "../../../scripts/matrix/browser.ts";
import { openOrigin, type OriginWithGateway } from "./stage.ts";
import { until } from "./wait.ts";

/** A page without a click, which can be hidden. */
export interface RawPage extends AsyncDisposable {
  readonly gateway: OriginWithGateway["gateway"];
  /** Puts another tab in front of it. */
  hide(): Promise<void>;
  /** Clicks in it. */
  click(): Promise<void>;
  /** Calls a function that the page's module has made. */
  call<T = unknown>(name: string, argument?: unknown): Promise<T>;
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Speaks the protocol. */
class Protocol {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #asked = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const reply = JSON.parse(data) as Reply;
      if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
    };
  }

  async send<T>(method: string, params: unknown = {}, sessionId?: string): Promise<T> {
    const id = ++this.#asked;
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply.result as T;
  }
}

/** Opens a page. */
export async function openRawPage(): Promise<RawPage> {
  const origin = await openOrigin();
  const profile = await Deno.makeTempDir({ prefix: "browser-profile-" });
  const child = new Deno.Command(await findChromium(), {
    args: [
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "--no-first-run",
      ...origin.flags,
      "about:blank",
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const protocol = await connect(await addressIn(child.stderr));
  const { targetId } = await protocol.send<{ targetId: string }>("Target.createTarget", {
    url: origin.url,
    newWindow: true,
  });
  const { sessionId } = await protocol.send<{ sessionId: string }>("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await protocol.send<{
      result: { value: T };
      exceptionDetails?: { exception: { description: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception.description);
    return result.value;
  };
  // While it is loaded, what is evaluated in it is lost.
  await until(() => evaluate<boolean>("'ready' in globalThis").catch(() => false), Boolean);
  return {
    gateway: origin.gateway,
    async hide() {
      await protocol.send("Target.createTarget", { url: "about:blank" });
      await evaluate(
        "new Promise((resolve) => { const look = () => document.visibilityState === 'hidden' ? resolve() : document.onvisibilitychange = look; look(); })",
      );
    },
    async click() {
      const at = { x: 5, y: 5, button: "left", clickCount: 1 };
      for (const type of ["mousePressed", "mouseReleased"]) {
        await protocol.send("Input.dispatchMouseEvent", { type, ...at }, sessionId);
      }
    },
    call: <T>(name: string, argument?: unknown) =>
      evaluate<T>(`${name}(${argument === undefined ? "" : JSON.stringify(argument)})`),
    async [Symbol.asyncDispose]() {
      await protocol.send("Browser.close").catch(() => {});
      await child.status;
      await origin[Symbol.asyncDispose]();
      await Deno.remove(profile, { recursive: true }).catch(() => {});
    },
  };
}

async function connect(address: string): Promise<Protocol> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`Cannot reach Chromium at ${address}`));
  });
  return new Protocol(socket);
}

/** The address that Chromium prints when it starts. */
async function addressIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const reader = stderr.getReader();
  while (true) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Chromium ended:\n${text}`);
    text += decoder.decode(value, { stream: true });
    const found = /ws:\/\/\S+/.exec(text)?.[0];
    if (found === undefined) continue;
    // What it prints from now on is read, and dropped.
    void (async () => {
      while (!(await reader.read()).done);
    })();
    return found;
  }
}
