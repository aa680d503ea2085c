import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { startGateway } from "../../scripts/support/local_gateway.ts";

const root = new URL("../../", import.meta.url);
const PUBLIC_ENDPOINT = "https://engine.telequick.dev:9090";

/** The first code block under a heading of the guide. */
async function guideBlock(heading: string): Promise<string> {
  const text = await readFile(new URL("src/client/GUIDE.md", root), "utf8");
  const section = text.slice(text.indexOf(`\n${heading}\n`));
  const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1];
  assert.ok(code !== undefined, `the guide has a block under "${heading}"`);
  return code;
}

/** Loads a block of the guide as a module, with the public endpoint replaced by a local one. */
async function load(folder: string, code: string, endpoint: string): Promise<unknown> {
  const file = join(folder, "block.ts");
  const local = code
    .replaceAll(`"@telequick/sdk"`, JSON.stringify(new URL("mod.ts", root).href))
    .replaceAll(`"${PUBLIC_ENDPOINT}"`, JSON.stringify(endpoint) + ", undefined, false, hash")
    .concat(`\nconst hash = Deno.env.get("TELEQUICK_CERTIFICATE_HASH")!;\n`);
  await writeFile(file, local);
  return await import(pathToFileURL(file).href);
}

describe("the guide: a bridge to a voice model", () => {
  it("carries a call's audio to a model and the model's speech back, and clears it when interrupted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "telequick-"));
    const gateway = await startGateway(folder);
    for (const [name, value] of Object.entries(gateway.env)) Deno.env.set(name, value);
    const heard: number[] = [];
    // A model of our own: it listens for half a second, speaks two seconds, says that it was interrupted, and goes.
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.binaryType = "arraybuffer";
      socket.addEventListener("message", ({ data }) => {
        heard.push(new Int16Array(data).length);
        if (heard.length === 25) socket.send(new Int16Array(48_000));
        if (heard.length !== 50) return;
        socket.send("interrupted");
        socket.close();
      });
      return response;
    });
    try {
      const code = await guideBlock("## Audio");
      const module = await load(folder, code, gateway.endpoint);
      const { bridge } = module as { bridge: (to: string, model: WebSocket) => Promise<void> };
      const model = new WebSocket(`ws://127.0.0.1:${server.addr.port}`);
      await new Promise((resolve) => model.addEventListener("open", resolve, { once: true }));
      await bridge("+15550106", model);
      assert.ok(heard.length >= 50);
      const samples = heard.reduce((sum, length) => sum + length, 0);
      assert.ok(samples >= heard.length * 470, "20 ms at 24 kHz are 480 samples a frame");
    } finally {
      await server.shutdown();
      await gateway.close();
      await rm(folder, { recursive: true });
    }
  });
});
