import { type Clock, systemClock } from "../../base/signal.ts";
import { TransportFault } from "../fault.ts";
import { DialledSession } from "../http3/dialled.ts";
import type { WebTransportConstructor, WebTransportOptionsLike } from "../types.ts";
import { configure, type QuicheAddon, type QuicheConfig } from "./binding.ts";
import { QuicheConnection } from "./connection.ts";
import { judgeCertificate } from "./judge.ts";
import { type NodeModules, openClientSocket } from "./socket.ts";

// As Deno's WebTransport has them.
const IDLE_MS = 10_000;
const KEEP_ALIVE_MS = 4_000;
const MAX_STREAMS = 100;
const ID_BYTES = 16;
/** What a connection over quiche is made of. */
export interface QuicheParts {
  readonly addon: QuicheAddon;
  readonly node: NodeModules;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** Makes a WebTransport constructor over quiche. */
export function quicheWebTransport(parts: QuicheParts): WebTransportConstructor {
  const { clock = systemClock } = parts;
  return class QuicheWebTransport extends DialledSession {
    constructor(url: string, options: WebTransportOptionsLike = {}) {
      const dialled = new AbortController();
      super(url, dial(parts, new URL(url), options, clock, dialled.signal), { clock, dialled });
    }
  };
}

async function dial(
  { addon, node }: QuicheParts,
  url: URL,
  { serverCertificateHashes: hashes = [] }: WebTransportOptionsLike,
  clock: Clock,
  signal: AbortSignal,
): Promise<QuicheConnection> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isAddress = node.net.isIP(host) !== 0;
  const socket = await openClientSocket(node, host, Number(url.port || 443));
  try {
    signal.throwIfAborted();
    const { local, remote } = socket;
    const state = addon.Connection.connect(
      // Names are sent and checked by TLS, addresses are not (RFC 6066 section 3).
      isAddress ? null : host,
      crypto.getRandomValues(new Uint8Array(ID_BYTES)),
      local,
      remote,
      clientConfig(addon, node, hashes.length > 0),
    );
    const connection = new QuicheConnection({
      state,
      role: "client",
      local,
      send: (packet) => socket.send(packet),
      judge: (established) =>
        judgeCertificate(node, established.peerCertChain() ?? [], {
          hashes,
          host,
          isAddress,
          now: clock.now(),
        }),
      onGone: () => socket.close(),
      keepAliveMs: KEEP_ALIVE_MS,
      clock,
    });
    socket.onPacket((packet) => connection.receive(packet, remote));
    socket.onError((error) => connection.fail(new TransportFault(error.message)));
    signal.addEventListener("abort", () => connection.close({ closeCode: 0, reason: "" }));
    connection.start();
    await connection.established;
    return connection;
  } catch (error) {
    if (signal.aborted) socket.close();
    throw error;
  }
}

/** Trusts what the system trusts; with pinned certificates nothing yet, because they are judged when the handshake is done. */
function clientConfig(addon: QuicheAddon, node: NodeModules, isPinned: boolean): QuicheConfig {
  const authorities = isPinned ? [] : node.authorities();
  const config = addon.Config.withBoringSslCtx(
    true,
    isPinned,
    authorities.length === 0 ? null : new TextEncoder().encode(authorities.join("\n")),
    null,
    null,
    null,
  );
  if (!isPinned) {
    for (const file of node.authorityFiles) {
      try {
        config.loadVerifyLocationsFromFile(file);
      } catch {
        // Another system's.
      }
    }
  }
  return configure(config, { idleMs: IDLE_MS, maxStreams: MAX_STREAMS });
}
