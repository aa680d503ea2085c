import { encodeBase64 } from "../../base/base64.ts";
import type { CertificateHash } from "../types.ts";
import type { NapiAddon, NapiClient } from "./napi_session.ts";

interface SharedClient {
  readonly addon: NapiAddon;
  /** The hashes that it pins. */
  readonly pins: string;
  readonly client: NapiClient;
}

// The addon frees a client's socket, its TLS set-up and the memory of both only when the engine collects the client. One that sessions
// share is enough: each has a QUIC connection of its own over its socket.
let shared: SharedClient | undefined;

/**
 * The client that all sessions share which pin these hashes, or trust the system's roots where there are none.
 *
 * @returns The client, and what makes the next session take a fresh one. That is for a connection that failed or was lost: a network that
 * drops what comes from one port may let another pass.
 */
export function sharedClient(
  addon: NapiAddon,
  hashes: readonly CertificateHash[],
): { readonly client: NapiClient; readonly forget: () => void } {
  const values = hashes.map(({ value }) => value);
  const pins = values.map(encodeBase64).join();
  if (shared?.addon !== addon || shared.pins !== pins) {
    const { NapiClient } = addon;
    const client = values.length === 0
      ? NapiClient.withSystemRoots()
      : NapiClient.withCertificateHashes(values);
    shared = { addon, pins, client };
  }
  const used = shared;
  return {
    client: used.client,
    forget() {
      if (shared === used) shared = undefined;
    },
  };
}
