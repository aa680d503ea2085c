/**
 * A gateway in a process of its own, and a client with calls to the number that echoes.
 *
 * @module
 */

import { type AudioLink, type Call, type ClientOptions, TeleQuickClient } from "../../../mod.ts";
import { audioPort } from "../../../src/client/mod.ts";
import { GatewayHost } from "../../support/gateway_host.ts";
import { repeat } from "./scenario.ts";
import { portOf, type TalkPort } from "./talker.ts";

/** How many streams of each kind the peers of a bench allow. */
export const MAX_STREAMS = 8_192;

/** One outgoing stream a call, or one for all. */
export type Streams = "call" | "shared";

/** How a program sends and receives: through the link's streams, or through its inner side. */
export type Way = "streams" | "port";

/** The gateway's limits on how many calls there may be are not what is measured. */
export const manyCalls = {
  callsPerSecond: 1e6,
  callsPerTenant: 1e6,
  streams: MAX_STREAMS,
  strikes: 1e6,
} as const;

/** Starts the gateway. */
export function startGateway(): Promise<GatewayHost> {
  return GatewayHost.start(manyCalls);
}

/** A client of it. */
export function clientOf(host: GatewayHost, options: ClientOptions = {}): TeleQuickClient {
  return new TeleQuickClient(host.endpoint, host.account, false, {
    serverCertificateHash: host.certificatePem,
    requestTimeoutMs: 60_000,
    ...options,
  });
}

/** Dials calls to the number that echoes, until all are answered. */
export async function dial(client: TeleQuickClient, count: number): Promise<Call[]> {
  const calls: Call[] = [];
  await repeat(count, 16, async () => {
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    calls.push(call);
  });
  return calls;
}

/** What talks through a link. */
export function talkPort(link: AudioLink, way: Way): TalkPort {
  if (way === "streams") return portOf(link);
  const port = audioPort(link);
  return {
    copies: true,
    send: (payload) => port.send(payload),
    listen: (take) => void port.receive({ take: ({ payload }) => take(payload), end: () => {} }),
  };
}
