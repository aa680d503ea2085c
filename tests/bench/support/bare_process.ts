/**
 * The floor under the gateway: the same transport without frames, tokens or calls, in a process of its own. Every request is answered
 * with so many bytes; what comes on one-way streams goes back on one, in whole units, what is read in one turn in one write.
 * Its one argument is JSON; it prints its endpoint when it listens and ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { listenQuic, type WebTransportLike } from "../../../src/transport/listen.ts";
import { echoBytes, readAll } from "./bare_echo.ts";
import type { BareOptions } from "./hosts.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as BareOptions;
const { certificatePem, privateKeyPem, requestBytes, replyBytes, maxStreams, unitBytes } = options;
const reply = new Uint8Array(replyBytes);

async function answer(
  readable: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  let left = requestBytes;
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  await readAll(readable, (chunk) => {
    const isWhole = left > 0 && left <= chunk.length;
    left -= chunk.length;
    if (isWhole) writer.write(reply).then(() => writer.close()).catch(() => {});
  });
}

function serve(session: WebTransportLike): void {
  session.closed.catch(() => {});
  void readAll(session.incomingBidirectionalStreams, ({ readable, writable }) => {
    void answer(readable, writable);
  });
  echoBytes(session, unitBytes);
}

const listener = await listenQuic({ certificatePem, privateKeyPem, maxStreams });
process.stdout.write(`https://127.0.0.1:${listener.port}\n`);
process.stdin.on("data", () => {});
process.stdin.on("end", () => process.exit(0));
for await (const { session } of listener.accept()) serve(session);
