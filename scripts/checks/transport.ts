/**
 * Checks which WebTransport a client finds by itself on Node and Bun: `deno run -A scripts/checks/transport.ts`.
 *
 * Each case is a program of two lines with other packages beside ours. That a session opens over what is found, the live suite shows.
 *
 * @module
 */

import { setUpGlibc } from "../matrix/setup_glibc.ts";
import { installConsumer } from "../matrix/consumer.ts";
import { packPackage } from "../build/package.ts";
import { run } from "../support/run.ts";
import { bun, node, type Runtime } from "../matrix/runtimes.ts";
import { conclude } from "../support/terminal.ts";

const program = `import { TeleQuickClient } from "@telequick/sdk";
import { unsignedToken } from "@telequick/sdk/testing";
const client = new TeleQuickClient("https://127.0.0.1:9", () => unsignedToken(), true, { reconnect: false, connectTimeoutMs: 2000 });
await client.connect().catch(({ code, message }) => console.log(code, message));
`;

// As the real package is put together: for import alone, with a promise to wait for. Its own build of QUIC does not come from npm.
const standIn: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({
    name: "@fails-components/webtransport",
    type: "module",
    exports: { ".": { node: { import: "./lib/index.node.js" } } },
  }),
  "lib/index.node.js": `let isReady = false;
export const quicheLoaded = Promise.resolve().then(() => { isReady = true; });
export class WebTransport {
  constructor(url) {
    console.log("stand-in, ready: " + isReady + ", asked for " + url);
    throw new Error("no more than a stand-in");
  }
}
`,
};

async function write(folder: URL, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = new URL(path, folder);
    await Deno.mkdir(new URL(".", file), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
}

async function said({ title, command }: Runtime, folder: URL): Promise<string> {
  const [first, ...rest] = command;
  const { output } = await run(first, [...rest, "program.mjs"], { cwd: folder });
  return `${title}: ${output.trim()}`;
}

/** Runs every case; returns what went otherwise than expected. */
export async function checkTransport(tarball: string): Promise<readonly string[]> {
  const runtimes = [await node(), await bun()];
  const violations: string[] = [];
  const expect = async (folder: URL, expected: RegExp): Promise<void> => {
    await write(folder, { "program.mjs": program });
    for (const runtime of runtimes) {
      const words = await said(runtime, folder);
      if (!expected.test(words)) violations.push(`${words}\n(expected ${expected})`);
    }
  };

  const { folder: bare } = await installConsumer("transport-none", tarball);
  const isTooOld = (await setUpGlibc()).length > 0;
  // What the message says to install is what this machine can load.
  await expect(
    bare,
    isTooOld
      ? /ERR_TRANSPORT_UNAVAILABLE .*(npm install|bun add) @matrixai\/quic \(looked in \//
      : /ERR_TRANSPORT_UNAVAILABLE .*(npm install|bun add) @moq\/web-transport \(looked in \//,
  );

  const { folder: other } = await installConsumer("transport-other", tarball);
  await write(new URL("node_modules/@fails-components/webtransport/", other), standIn);
  await expect(other, /stand-in, ready: true, asked for https:\/\/127[^]*ERR_CONNECT_FAILED/);

  const addon = { "@moq/web-transport": "0.1.4" };
  const { folder: installed } = await installConsumer("transport-addon", tarball, addon);
  await expect(
    installed,
    isTooOld
      ? /ERR_TRANSPORT_UNAVAILABLE .* glibc 2\.\d+, expected glibc 2\.38 .* @matrixai\/quic/
      : /ERR_CONNECT_FAILED .*127\.0\.0\.1:9/,
  );

  // Both: the second where the first does not load.
  const both = { ...addon, "@matrixai/quic": "2.0.9" };
  const { folder: either } = await installConsumer("transport-both", tarball, both);
  await expect(either, /ERR_CONNECT_FAILED .*127\.0\.0\.1:9/);
  return violations;
}

/** What was looked at, in a few words. */
export const describeTransport = "nothing installed, another package, the addon, quiche beside it";

if (import.meta.main) {
  conclude("transport", describeTransport, await checkTransport((await packPackage()).tarball));
}
