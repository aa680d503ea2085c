/**
 * The page that this program runs in.
 *
 * @module
 */

interface PageGlobals {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
  readonly indexedDB?: unknown;
  readonly location?: { readonly origin?: unknown };
}

/** The origin of this page or of the page that this worker belongs to; `undefined` outside a browser. */
export function pageOrigin(): string | undefined {
  const { document, WorkerGlobalScope, indexedDB, location } = globalThis as PageGlobals;
  // Edge runtimes and Deno have worker scopes too; IndexedDB in one is only a browser's.
  const isPage = document !== undefined ||
    WorkerGlobalScope !== undefined && indexedDB !== undefined;
  return isPage && typeof location?.origin === "string" ? location.origin : undefined;
}
