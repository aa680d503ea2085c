import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { markdownBlocks } from "../../scripts/checks/support/blocks.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";

// The handlers of src/webhook/README.md, each run in its framework.

const root = new URL("../../", import.meta.url);
const page = await readFile(new URL("src/webhook/README.md", root), "utf8");
const blocks = markdownBlocks("src/webhook/README.md", page).map(({ code }) => code);
const body = JSON.stringify({ event: "voice.call.incoming", call_sid: "c" });
const secret = "shh";

/** The page's line, or lines, for a framework, which is named in a comment at the end of the first. */
function handler(name: string): string {
  const lines = blocks.find((code) => code.includes("hono.post"))!.split("\n");
  const start = lines.findIndex((line) => line.endsWith(`// ${name}`));
  assert.ok(start >= 0, `the page has a handler for ${name}`);
  const rest = lines.slice(start);
  const end = /\{ \/\/ /.test(rest[0]!) ? rest.indexOf("});") + 1 : 1;
  return rest.slice(0, end).join("\n");
}

/** A module with the page's function, and a program around a handler. */
async function load(folder: TemporaryFolder, program: string): Promise<Record<string, unknown>> {
  const resolve = (code: string): string =>
    code.replaceAll(/"(@telequick\/sdk(?:\/\w+)?|hono|express)"/g, (_, name: string) => {
      const doors: Record<string, string> = {
        "@telequick/sdk": new URL("mod.ts", root).href,
        "@telequick/sdk/webhook": new URL("src/webhook/mod.ts", root).href,
      };
      return JSON.stringify(doors[name] ?? import.meta.resolve(name));
    });
  const page = blocks.find((code) => code.includes("export async function handleWebhook"))!;
  await writeFile(folder.at("program.ts"), resolve(`${page}\n${program}`));
  return await import(pathToFileURL(folder.at("program.ts")).href);
}

function post(text: string, key: string): RequestInit {
  const seconds = Math.floor(Date.now() / 1_000);
  const v1 = createHmac("sha256", key).update(`${seconds}.${text}`).digest("hex");
  return {
    method: "POST",
    body: text,
    headers: {
      "content-type": "application/json",
      "x-telequick-signature": `t=${seconds},v1=${v1}`,
    },
  };
}

describe("the webhook handlers of the page", () => {
  it("Hono", async () => {
    await using folder = await temporaryFolder();
    const { hono } = await load(
      folder,
      `import { Hono } from "hono";\nexport const hono = new Hono<any>();\n${handler("Hono")}`,
    ) as {
      hono: {
        request(url: string, init: RequestInit, env: Record<string, string>): Promise<Response>;
      };
    };
    const env = { WEBHOOK_SECRET: secret };
    assert.equal((await hono.request("/hook", post(body, secret), env)).status, 204);
    const refused = await hono.request("/hook", post(body, "other"), env);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /^Cannot verify webhook: no v1 signature matches/);
  });

  it("Express", async () => {
    await using folder = await temporaryFolder();
    process.env["WEBHOOK_SECRET"] = secret;
    const { express } = await load(
      folder,
      `import application, { raw } from "express";\nexport const express = application();\n${
        handler("Express")
      }`,
    ) as { express: { listen(port: number, hostname: string, ready: () => void): Server } };
    const server = await new Promise<Server>((resolve) => {
      const listening = express.listen(0, "127.0.0.1", () => resolve(listening));
    });
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
      for (const [key, status] of [[secret, 204], ["other", 400]] as const) {
        const response = await fetch(url, post(body, key));
        await response.body?.cancel();
        assert.equal(response.status, status);
      }
    } finally {
      delete process.env["WEBHOOK_SECRET"];
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
