import type { Clock } from "../../base/signal.ts";
import { DialledSession } from "../http3/dialled.ts";
import type { WebTransportConstructor, WebTransportOptionsLike } from "../types.ts";
import { countedWebTransport } from "./counted.ts";
import { type ConnectQuic, dialShared } from "./shared_endpoint.ts";

/** Options of {@linkcode denoWebTransport}. */
export interface DenoWebTransportOptions {
  /** Whether to speak HTTP/3 over the runtime's QUIC where it has it. Default: `true`; `false` is for tests. */
  readonly innerStreams?: boolean;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

interface DenoGlobal {
  readonly Deno?: { readonly connectQuic?: ConnectQuic };
}

/**
 * Makes a WebTransport constructor for Deno: HTTP/3 of ours over its QUIC, on which streams end properly and return their credit, the
 * close capsule is read, and all sessions share one socket. Where Deno has no QUIC, its own WebTransport with `streamsLeft` counting down.
 *
 * @param native Deno's `WebTransport`.
 * @param options Switches the use of QUIC off.
 */
export function denoWebTransport(
  native: WebTransportConstructor,
  options: DenoWebTransportOptions = {},
): WebTransportConstructor {
  const { connectQuic } = (globalThis as unknown as DenoGlobal).Deno ?? {};
  if (connectQuic === undefined || options.innerStreams === false) {
    return countedWebTransport(native);
  }
  const connect: ConnectQuic = connectQuic;
  return class DenoWebTransport extends DialledSession {
    constructor(url: string, init: WebTransportOptionsLike = {}) {
      super(url, dialShared(connect, new URL(url), init), options);
    }
  };
}
