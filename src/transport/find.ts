import { unavailable } from "./advice.ts";
import { loadAddon, loadW3c } from "./napi/napi.ts";
import { napiWebTransport } from "./napi/napi_session.ts";
import { quicheWebTransport } from "./quiche/dial.ts";
import { loadQuiche } from "./quiche/load.ts";
import { nodeModules } from "./quiche/socket.ts";
import type { WebTransportConstructor } from "./types.ts";

/**
 * Finds WebTransport on Bun and Node: over an installed `@moq/web-transport`, that of an installed `@fails-components/webtransport`, or
 * over the QUIC of an installed `@matrixai/quic`, whichever loads first.
 *
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` when none is installed, or what is cannot be loaded; the message says the one thing to do.
 */
export async function findWebTransport(): Promise<WebTransportConstructor> {
  const addon = loadAddon("connect");
  if (addon.value !== undefined) return napiWebTransport(addon.value);
  const w3c = await loadW3c();
  if (w3c.value !== undefined) return w3c.value;
  const quiche = loadQuiche();
  if (quiche !== undefined) return quicheWebTransport({ addon: quiche, node: nodeModules() });
  throw addon.fault ?? w3c.fault ?? unavailable("connect");
}
