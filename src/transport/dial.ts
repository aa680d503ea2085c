import { ignore } from "../base/ignore.ts";
import { isDeno } from "./packages.ts";
import type { WebTransportConstructor } from "./types.ts";

// In chunks of their own: a page has its own WebTransport, and its bundle needs none of this. On Deno the module is loaded at once: a
// process without a free descriptor could not load it later.
const denoModule = isDeno() ? import("./deno/deno.ts") : undefined;
denoModule?.catch(ignore);

interface Found {
  readonly native: WebTransportConstructor | undefined;
  readonly webTransport: WebTransportConstructor;
}

// Looked for once, and made once: what a class made for each session holds is collected late, by V8 only with the old generation.
let found: Found | undefined;

/**
 * Finds the WebTransport constructor to use: the caller's, else the runtime's own, else that of an installed package (Bun and Node).
 *
 * @param given The caller's, if any.
 * @throws {TypeError} When `given` is not a constructor.
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` when it is missing; the message says the one thing to do on this runtime.
 */
export async function resolveWebTransport(
  given?: WebTransportConstructor,
): Promise<WebTransportConstructor> {
  if (given !== undefined && typeof given !== "function") {
    throw new TypeError(
      `Cannot use webTransport: it is ${
        given === null ? "null" : typeof given
      }, expected a constructor`,
    );
  }
  const native = (globalThis as { WebTransport?: WebTransportConstructor }).WebTransport;
  if (given !== undefined && given !== native) return given;
  if (native !== undefined && !isDeno()) return native;
  if (found === undefined || found.native !== native) {
    found = { native, webTransport: await makeWebTransport(native) };
  }
  return found.webTransport;
}

async function makeWebTransport(
  native: WebTransportConstructor | undefined,
): Promise<WebTransportConstructor> {
  if (native !== undefined) return (await denoModule!).denoWebTransport(native);
  const { findWebTransport } = await import("./find.ts");
  return await findWebTransport();
}
