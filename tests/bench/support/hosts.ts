/**
 * The floor under the client: a session of the same transport to a peer that answers bytes with bytes.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  certificateHash,
  createCertificate,
  resolveWebTransport,
  type WebTransportLike,
} from "../../../src/transport/mod.ts";

/** Instructions of a bare peer. */
export interface BareOptions {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** How many bytes of a request are read before it is answered. */
  readonly requestBytes: number;
  /** How many bytes the answer has. */
  readonly replyBytes: number;
  /** How many streams of each kind may be open at a time. */
  readonly maxStreams: number;
  /** What comes on one-way streams goes back in pieces of a whole number of so many bytes. */
  readonly unitBytes: number;
}

/** A session with a bare peer in a process of its own. */
export interface BarePeer extends AsyncDisposable {
  readonly transport: WebTransportLike;
  /** Opens another session. */
  dial(): Promise<WebTransportLike>;
  /** Sends a request on a stream of its own; resolves when the answer is there. */
  exchange(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL("./bare_process.ts", import.meta.url));

/** Starts a bare peer and opens a session with it. */
export async function openBare(
  options: Partial<Omit<BareOptions, "certificatePem" | "privateKeyPem">> = {},
): Promise<BarePeer> {
  const { certificatePem, privateKeyPem } = await createCertificate();
  const sizes = { requestBytes: 1, replyBytes: 1, maxStreams: 100, unitBytes: 1, ...options };
  const argument = JSON.stringify({ certificatePem, privateKeyPem, ...sizes });
  const child = spawn(
    process.execPath,
    ["run", "-A", "--quiet", "--no-check", "--unstable-net", SCRIPT, argument],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  let told = "";
  for await (const chunk of child.stdout) {
    told += String(chunk);
    if (told.includes("\n")) break;
  }
  const hash = await certificateHash(certificatePem);
  const WebTransport = await resolveWebTransport();
  const dial = async (): Promise<WebTransportLike> => {
    const options = { serverCertificateHashes: [hash] };
    const transport = new WebTransport(told.trim(), options);
    transport.closed.catch(() => {});
    await transport.ready;
    return transport;
  };
  const transport = await dial();
  const request = new Uint8Array(sizes.requestBytes);
  return {
    transport,
    dial,
    exchange: () => exchange(transport, request, sizes.replyBytes),
    [Symbol.asyncDispose]() {
      transport.close();
      child.stdin.end();
      return new Promise((resolve) => child.on("exit", () => resolve()));
    },
  };
}

/** Writes, finishes and reads as plainly as it can be done; the rest up to FIN is read without being waited for. */
async function exchange(
  transport: WebTransportLike,
  request: Uint8Array,
  replyBytes: number,
): Promise<void> {
  const { readable, writable } = await transport.createBidirectionalStream();
  const writer = writable.getWriter();
  writer.write(request).then(() => writer.close()).catch(() => {});
  const reader = readable.getReader();
  for (let left = replyBytes; left > 0;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("The answer is too short");
    left -= value.length;
  }
  reader.read().catch(() => {});
}
