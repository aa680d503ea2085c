/**
 * Probes a UDP port for a QUIC server, without a certificate, a token or a handshake.
 *
 * @module
 */

import { concatBytes, equalBytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/signal.ts";
import type { Platform } from "../platform.ts";

/** The result of a probe. */
export type ProbeResult =
  /** A QUIC server answered. */
  | { readonly type: "quic"; readonly roundTripMs: number }
  /** Something else answered. */
  | { readonly type: "other" }
  /** The system reports that nothing listens there. */
  | { readonly type: "refused" }
  /** The host name does not resolve. */
  | { readonly type: "no-address" }
  /** This program has no permission to send. */
  | { readonly type: "forbidden" }
  /** There was no answer. */
  | { readonly type: "silence" };

/** Options of {@linkcode probeQuic}. */
export interface ProbeQuicOptions {
  readonly hostname: string;
  readonly port: number;
  readonly platform: Pick<Platform, "datagram">;
  readonly clock: Clock;
  /** How long to wait altogether, in milliseconds. Default: 3000. */
  readonly timeoutMs?: number;
  /** Ends the wait as silence does. */
  readonly signal?: AbortSignal;
}

// RFC 9000 section 14.1: a server drops a first datagram below this size.
const PROBE_BYTES = 1_200;
// RFC 9000 section 15: versions of this pattern are reserved to force version negotiation.
const RESERVED_VERSION = 0x1a2a3a4a;
const REPEAT_MS = 750;

/** Sends a packet with a reserved version: a QUIC server answers with the versions it supports (RFC 9000 section 6). */
export function probeQuic(options: ProbeQuicOptions): Promise<ProbeResult> {
  const { hostname, port, platform, clock, timeoutMs = 3_000, signal } = options;
  const ids = crypto.getRandomValues(new Uint8Array(16));
  const source = ids.subarray(8);
  const bytes = probePacket(ids.subarray(0, 8), source);
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    let isOver = false;
    const end = (result: ProbeResult): void => {
      isOver = true;
      for (const stop of stops.splice(0)) stop();
      signal?.removeEventListener("abort", silence);
      resolve(result);
    };
    const silence = (): void => end({ type: "silence" });
    const sentAt = clock.monotonic();
    const send = (): void => {
      const stop = platform.datagram({ hostname, port, bytes }, {
        onReply: (reply) =>
          end(
            isVersionNegotiation(reply, source)
              ? { type: "quic", roundTripMs: clock.monotonic() - sentAt }
              : { type: "other" },
          ),
        onError: (code) => end(faultOf(code)),
      });
      if (isOver) stop();
      else stops.push(stop);
    };
    if (signal?.aborted) return silence();
    signal?.addEventListener("abort", silence, { once: true });
    stops.push(clock.schedule(timeoutMs, silence));
    for (let at = REPEAT_MS; at < timeoutMs; at += REPEAT_MS) stops.push(clock.schedule(at, send));
    send();
  });
}

/** A long header packet (RFC 9000 section 17.2) of the reserved version, filled up with zeros. */
export function probePacket(destination: Uint8Array, source: Uint8Array): Uint8Array {
  const version = new Uint8Array(4);
  new DataView(version.buffer).setUint32(0, RESERVED_VERSION);
  const head = concatBytes([
    new Uint8Array([0xc0]),
    version,
    new Uint8Array([destination.length]),
    destination,
    new Uint8Array([source.length]),
    source,
  ]);
  return concatBytes([head, new Uint8Array(PROBE_BYTES - head.length)]);
}

/** Whether bytes are a Version Negotiation packet (RFC 9000 section 17.2.1) for the connection id that was sent as `source`. */
export function isVersionNegotiation(packet: Uint8Array, source: Uint8Array): boolean {
  if (packet.length < 6 + source.length || (packet[0]! & 0x80) === 0) return false;
  const version = new DataView(packet.buffer, packet.byteOffset).getUint32(1);
  return version === 0 && packet[5] === source.length &&
    equalBytes(packet.subarray(6, 6 + source.length), source);
}

function faultOf(code: string): ProbeResult {
  if (code === "ECONNREFUSED") return { type: "refused" };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_NONAME") {
    return { type: "no-address" };
  }
  return code === "EACCES" || code === "EPERM" ? { type: "forbidden" } : { type: "silence" };
}
