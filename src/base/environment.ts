/**
 * What surrounds the program, where that explains an error better than the error does: a page that is not secure, a test's imitation of
 * a browser.
 *
 * @module
 */

import { TeleQuickError } from "./errors.ts";

interface Surroundings {
  readonly crypto?: { readonly subtle?: unknown };
  readonly isSecureContext?: boolean;
  readonly navigator?: { readonly userAgent?: unknown };
  readonly happyDOM?: unknown;
}

/** The library that imitates a browser's page inside a test, if one does: both name themselves in `navigator.userAgent`. */
export function testDom(): "jsdom" | "happy-dom" | undefined {
  const { navigator, happyDOM } = globalThis as Surroundings;
  const agent = String(navigator?.userAgent ?? "");
  if (agent.includes("jsdom/")) return "jsdom";
  return happyDOM !== undefined || agent.includes("HappyDOM/") ? "happy-dom" : undefined;
}

/**
 * Throws unless the environment has Web Crypto.
 *
 * @param action What cannot be done without it, such as `"sign token"`.
 * @throws `ERR_RUNTIME_UNSUPPORTED` with the cause and the remedy.
 */
export function requireWebCrypto(action: string): void {
  const { crypto, isSecureContext } = globalThis as Surroundings;
  if (crypto?.subtle !== undefined) return;
  const dom = testDom();
  const reason = dom !== undefined
    ? `${dom} hides crypto.subtle (in the test's setup file: Object.defineProperty(globalThis, "crypto", { value: require("node:crypto").webcrypto }))`
    : isSecureContext === false
    ? "a page that is not a secure context has no crypto.subtle (serve it over https or from localhost)"
    : "this environment has no crypto.subtle (use Node 20 or later, Deno, Bun, or a page served over https)";
  throw new TeleQuickError("ERR_RUNTIME_UNSUPPORTED", `Cannot ${action}: ${reason}`);
}
