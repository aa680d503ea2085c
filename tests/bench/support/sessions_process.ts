/**
 * A day of renewals in one process, on any runtime: its argument is JSON, it prints one line of JSON for each stage.
 *
 * @module
 */

import process from "node:process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { parseServiceAccount, TeleQuickClient } from "@telequick/sdk";

/** What the process is started with. */
export interface SessionsOrder {
  readonly endpoint: string;
  readonly certificateHash: string;
  /** The text of the service account. */
  readonly account: string;
  /** Through the SDK, or over the runtime's own transport with nothing else than a first stream that signs in. */
  readonly way: "sdk" | "bare";
  /** The bytes of the bare way's first stream, in base64. */
  readonly signIn: string;
  /** How many times one client's session is renewed. */
  readonly renewals: number;
  /** How long after each renewal, in milliseconds: the SDK closes a session that was replaced after a second. */
  readonly pauseMs: number;
  /** After how many sessions garbage is collected; 0: only when the engine does, and at the end of a stage. */
  readonly collectEvery: number;
  /** How many sessions are opened and closed one after another. */
  readonly connects: number;
}

/** What one stage cost. */
export interface SessionsStage {
  readonly stage: "start" | "renewals" | "connects";
  readonly rssMb: number;
  /** Of these the engine's heap: what it holds, and what is in use. */
  readonly heapMb: number;
  readonly usedMb: number;
  readonly descriptors: number;
}

interface Bare {
  readonly closed: Promise<unknown>;
  close(): void;
}

/** What is used of the W3C's session. */
interface Session extends Bare {
  readonly ready: Promise<unknown>;
  createBidirectionalStream(): Promise<ReadableWritablePair<Uint8Array, Uint8Array>>;
}

const LONGEST_READ = 65_536;

const order = JSON.parse(process.argv.at(-1) ?? "") as SessionsOrder;
const collect = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };

function collectGarbage(): void {
  collect.gc?.();
  collect.Bun?.gc(true);
}

async function say(stage: SessionsStage["stage"]): Promise<void> {
  // Sockets close in the background.
  await new Promise((resolve) => setTimeout(resolve, 500));
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  const line: SessionsStage = {
    stage,
    rssMb: Math.round(rss / 2 ** 20),
    heapMb: Math.round(heapTotal / 2 ** 20),
    usedMb: Math.round(heapUsed / 2 ** 20),
    descriptors: readdirSync("/proc/self/fd").length,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

/** A session of the runtime's own transport: Deno's, or the addon's. */
async function openBare(): Promise<Bare> {
  const { WebTransport } = globalThis as unknown as {
    WebTransport?: new (url: string, options: unknown) => Session;
  };
  const hash = { algorithm: "sha-256", value: bytesOf(order.certificateHash) };
  if (WebTransport !== undefined) {
    const session = new WebTransport(order.endpoint, { serverCertificateHashes: [hash] });
    await session.ready;
    const { readable, writable } = await session.createBidirectionalStream();
    const writer = writable.getWriter();
    await writer.write(bytesOf(order.signIn));
    await writer.close();
    for await (const _chunk of readable);
    return session;
  }
  const require = createRequire(import.meta.url);
  const addon = createRequire(require.resolve("@moq/web-transport"))(
    `@moq/web-transport-${process.platform}-${process.arch}-gnu`,
  );
  const session = await addon.NapiClient.withCertificateHashes([hash.value]).connect(
    `${order.endpoint}/`,
  );
  const stream = await session.openBi();
  const [send, receive] = [stream.takeSend(), stream.takeRecv()];
  await send.write(bytesOf(order.signIn));
  await send.finish();
  while (await receive.read(LONGEST_READ) !== null);
  return {
    closed: session.closed(),
    close: () => session.close(0, ""),
  };
}

function makeClient(): TeleQuickClient {
  const account = parseServiceAccount(order.account);
  return new TeleQuickClient(order.endpoint, account, false, order.certificateHash);
}

let sessions = 0;
let isRenewing = true;

async function afterSession(): Promise<void> {
  if (order.collectEvery > 0 && ++sessions % order.collectEvery === 0) collectGarbage();
  if (order.pauseMs > 0 && isRenewing) {
    await new Promise((resolve) => setTimeout(resolve, order.pauseMs));
  }
}

/** Opens one session, and again and again one beside it that takes over. */
async function renew(): Promise<void> {
  if (order.way === "sdk") {
    const client = makeClient();
    await client.connect();
    for (let i = 0; i < order.renewals; i++) {
      await client.renew();
      await afterSession();
    }
    return await client.close();
  }
  let current = await openBare();
  for (let i = 0; i < order.renewals; i++) {
    const next = await openBare();
    current.close();
    await current.closed;
    current = next;
    await afterSession();
  }
  current.close();
  await current.closed;
}

async function connect(): Promise<void> {
  for (let i = 0; i < order.connects; i++) {
    if (order.way === "sdk") {
      const client = makeClient();
      await client.connect();
      await client.close();
    } else {
      const session = await openBare();
      session.close();
      await session.closed;
    }
    await afterSession();
  }
}

await say("start");
await renew();
await say("renewals");
isRenewing = false;
await connect();
await say("connects");
process.exit(0);
