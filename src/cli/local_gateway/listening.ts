/**
 * The local gateway at its port: the one that it had before, where it keeps one, with a certificate that is changed in time.
 *
 * @module
 */

import { messageOf } from "../../base/text/message.ts";
import { ignore } from "../../base/ignore.ts";
import { counted } from "../../base/operations.ts";
import type { Clock } from "../../base/signal.ts";
import type { Gateway, GatewayListener } from "../../gateway/mod.ts";
import { isBindFault } from "../../transport/listen.ts";
import type { Output } from "../terminal/output.ts";
import type { KeptAddress } from "./kept_address.ts";

/** Options of {@linkcode listenLastingly}. */
export interface ListenLastinglyOptions {
  readonly gateway: Pick<Gateway, "listen">;
  readonly hostname: string;
  /** The port that was asked for; 0 for none. */
  readonly port: number;
  /** What is kept across restarts, if anything. */
  readonly kept: KeptAddress | undefined;
  readonly clock: Clock;
  readonly output: Output;
  /** Called when clients should pin other hashes from now on. */
  readonly onHashes: (hashes: string) => void;
  /** Lets the owner's commands know of them. Tried again when it fails. */
  readonly announce: (hashes: string) => Promise<void>;
}

/** A gateway that listens. */
export interface Listening {
  readonly endpoint: string;
  /** What clients pin. */
  readonly certificateHash: string;
  /** Changes certificates no more. */
  stop(): void;
}

// Not one wait of days: a machine that sleeps does not count them.
const LOOK_MS = 3_600_000;

/** Listens, and goes on to the next certificate when its time has come. */
export async function listenLastingly(options: ListenLastinglyOptions): Promise<Listening> {
  const { kept } = options;
  const listener = await listen(options);
  if (kept === undefined) {
    const { endpoint, certificateHash } = listener;
    return { endpoint, certificateHash, stop() {} };
  }
  if (options.port === 0) await kept.rememberPort(Number(new URL(listener.endpoint).port));
  return {
    endpoint: listener.endpoint,
    get certificateHash() {
      return kept.hashes;
    },
    stop: keepRenewing(listener, kept, options),
  };
}

async function listen(
  { gateway, hostname, port, kept, output }: ListenLastinglyOptions,
): Promise<GatewayListener> {
  const certificate = kept === undefined ? {} : { certificate: kept.certificate };
  const before = port === 0 ? kept?.port : undefined;
  if (before === undefined) return await gateway.listen({ hostname, port, ...certificate });
  try {
    return await gateway.listen({ hostname, port: before, ...certificate });
  } catch (error) {
    if (!isBindFault(error)) throw error;
    const listener = await gateway.listen({ hostname, ...certificate });
    output.warn(
      `UDP port ${before}, which this gateway had before, is taken: it is at ${listener.endpoint} now (take its exports again)`,
    );
    return listener;
  }
}

function keepRenewing(
  listener: GatewayListener,
  kept: KeptAddress,
  { clock, output, onHashes, announce }: ListenLastinglyOptions,
): () => void {
  let shown = kept.certificate;
  let announced = kept.hashes;
  let isStopped = false;
  let cancel = (): void => {};
  const renew = async (): Promise<void> => {
    await kept.renew();
    if (kept.certificate === shown) return;
    await listener.replaceCertificate(kept.certificate);
    shown = kept.certificate;
    onHashes(kept.hashes);
  };
  const announceNew = async (): Promise<void> => {
    const { hashes } = kept;
    if (hashes === announced || kept.certificate !== shown) return;
    await announce(hashes);
    announced = hashes;
  };
  const look = async (): Promise<void> => {
    await renew().catch((error) =>
      output.warn(
        `The gateway's certificate could not be changed, and is tried again: ${messageOf(error)}`,
      )
    );
    await announceNew().catch((error) =>
      output.warn(
        `The gateway has another certificate, but its control file could not be written, and is tried again: ${
          messageOf(error)
        }`,
      )
    );
  };
  const arm = (): void => {
    if (isStopped) return;
    cancel = clock.schedule(LOOK_MS, () => void counted(look()).then(arm, ignore));
  };
  arm();
  return () => {
    isStopped = true;
    cancel();
  };
}
