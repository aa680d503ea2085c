import { isDeno } from "./packages.ts";
import type { WebTransportConstructor } from "./types.ts";

/**
 * Finds the WebTransport constructor to use: the caller's, else the runtime's own, else that of an installed package (Bun and Node).
 *
 * @param given The caller's, if any.
 * @throws {TypeError} When `given` is not a constructor.
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` when there is none; the message says the one thing to do on this runtime.
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
  // Loaded on demand: a page has its own WebTransport, and its bundle needs none of this.
  if (native !== undefined) return (await import("./deno/deno.ts")).denoWebTransport(native);
  const { findWebTransport } = await import("./find.ts");
  return await findWebTransport();
}
