/**
 * Calls that talk, in a process of its own: to a gateway through the client, and as bare bytes to a bare peer. Its one argument is
 * JSON; it prints a line when all calls are up. Each line on its standard input, such as `gateway 5`, lets one of both talk for so many
 * seconds; then it prints how many frames were lost so far and how long they were under way. It ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { TeleQuickClient } from "../../../mod.ts";
import { resolveWebTransport } from "../../../src/transport/mod.ts";
import { speakBytes, type Speaker } from "./bare_echo.ts";
import { dial, type Streams, talkPort } from "./echo_calls.ts";
import { percentile } from "./scenario.ts";
import { pace, Talkers } from "./talker.ts";

/** Its instructions. */
export interface TalkOrder {
  readonly endpoint: string;
  readonly bareEndpoint: string;
  /** Base64 of the hash of both certificates. */
  readonly certificateHash: string;
  readonly token: string;
  readonly calls: number;
  readonly streams: Streams;
}

/** What came of a turn. */
export interface TalkReport {
  /** Frames that have not come back since the start. */
  readonly lost: number;
  /** The 99th percentile of the way there and back, in milliseconds. */
  readonly p99Ms: number;
}

const order = JSON.parse(process.argv[2] ?? "{}") as TalkOrder;
const { endpoint, bareEndpoint, certificateHash, token, calls, streams } = order;

const client = new TeleQuickClient(endpoint, () => token, true, {
  serverCertificateHash: certificateHash,
  requestTimeoutMs: 60_000,
  audioStreams: streams,
});
const dialled = await dial(client, calls);
const talkers = new Talkers(dialled.map((call) => talkPort(call.audio(), "port")));
talkers.speak();
await talkers.heard();

const WebTransport = await resolveWebTransport();
const value = Uint8Array.from(atob(certificateHash), (char) => char.charCodeAt(0));
const transport = new WebTransport(bareEndpoint, {
  serverCertificateHashes: [{ algorithm: "sha-256", value }],
});
await transport.ready;
const bytes = await speakBytes(transport, calls, streams);

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [who, seconds] = line.split(" ");
  const speaker: Speaker = who === "bytes" ? bytes : talkers;
  await pace(Number(seconds), () => speaker.speak());
  if (who === "gateway") await talkers.heard();
  const report: TalkReport = { lost: talkers.missing, p99Ms: percentile(talkers.trips(1), 0.99) };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
process.exit(0);
