import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { Miniflare } from "miniflare";
import { generateServiceAccount, importVerifyingKey, verifyToken } from "../../mod.ts";
import { markdownBlocks } from "../../scripts/checks/support/blocks.ts";
import { bun } from "../../scripts/matrix/runtimes.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { inPipe } from "../support/terminal.ts";

// The handlers of src/token/BROWSERS.md, each pasted into a program of its runtime or framework and asked over HTTP.

const root = new URL("../../", import.meta.url);
const { json: serviceAccount, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
const key = await importVerifyingKey(publicKeyPem);
const blocks = markdownBlocks(
  "src/token/BROWSERS.md",
  await readFile(new URL("src/token/BROWSERS.md", root), "utf8"),
)
  .map(({ code }) => code);

/** The function that mints, as the page has it. */
const tokenForPage = theBlock("export async function tokenForPage");

/** The line, or lines, for a runtime or framework: from one comment that names it to the next. */
function handler(name: string): string {
  const lines = theBlock("Deno.serve(() => tokenForPage").split("\n");
  const end = lines.findIndex((line) => line.endsWith(`// ${name}`));
  assert.ok(end >= 0, `the page has a handler for ${name}`);
  let length = 1;
  // A comment behind an opening brace names what stands below it.
  if (/\{\s*\/\/ /.test(lines[end]!)) {
    length = lines.slice(end).findIndex((line) => line === "});") + 1;
  }
  return lines.slice(end, end + length).join("\n");
}

function theBlock(part: string): string {
  const found = blocks.filter((code) => code.includes(part));
  assert.equal(found.length, 1, `the page has one block with ${part}`);
  return found[0]!;
}

/** A folder with the function of the page in it. */
async function project(): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await writeFile(folder.at("token_for_page.ts"), tokenForPage);
  return folder;
}

/** Asks as a page does, and looks at what comes back as a gateway does. */
async function checkAnswer(response: Pick<Response, "status" | "headers" | "text">): Promise<void> {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { tenantId, kind, issuedAtMs, expiresAtMs, origin } = await verifyToken(
    await response.text(),
    {
      resolveKey: () => ({ tenantId: "acme", key }),
    },
  );
  assert.deepEqual({ tenantId, kind }, { tenantId: "acme", kind: "browser" });
  assert.ok(expiresAtMs - issuedAtMs! <= 300_000);
  assert.equal(origin, "https://app.example");
}

/** Runs a program that prints its port, and asks it. */
async function askProgram(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const program = inPipe(command, { env: { SERVICE_ACCOUNT: serviceAccount, ...env } });
  try {
    await program.until("PORT ");
    await program.until("\n");
    const [, port] = /PORT (\d+)/.exec(program.output())!;
    await checkAnswer(await fetch(`http://127.0.0.1:${port}/telequick-token`));
  } finally {
    program.kill("SIGKILL");
    await program.code;
  }
}

/** Runs a module with Deno, outside this repository, with the names that the page imports. */
async function denoCommand(folder: TemporaryFolder, text: string): Promise<readonly string[]> {
  await writeFile(folder.at("main.ts"), text);
  const { imports } = JSON.parse(await readFile(new URL("deno.json", root), "utf8"));
  const map = {
    imports: {
      "@telequick/sdk/token": new URL("src/token/mod.ts", root).href,
      ...{ hono: imports.hono, express: imports.express },
    },
  };
  await writeFile(folder.at("imports.json"), JSON.stringify(map));
  return [
    ...[process.execPath, "run", "-A", "--quiet", "--no-config", "--no-lock"],
    ...[`--import-map=${folder.at("imports.json")}`, folder.at("main.ts")],
  ];
}

describe("the page's handler of browser tokens", () => {
  it("for Deno.serve", async () => {
    await using folder = await project();
    const command = await denoCommand(
      folder,
      `import { tokenForPage } from "./token_for_page.ts";
const server = ${handler("Deno")}
console.log("PORT", server.addr.port);`,
    );
    await askProgram(command, { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" });
  });

  it("for Bun.serve", async () => {
    await using folder = await project();
    await mkdir(folder.at("node_modules/@telequick/sdk"), { recursive: true });
    await symlink(
      fileURLToPath(new URL("src", root)),
      folder.at("node_modules/@telequick/sdk/src"),
    );
    await writeFile(
      folder.at("node_modules/@telequick/sdk/package.json"),
      JSON.stringify({ name: "@telequick/sdk", exports: { "./token": "./src/token/mod.ts" } }),
    );
    await writeFile(
      folder.at("main.ts"),
      `import { tokenForPage } from "./token_for_page.ts";
const server = ${handler("Bun")}
console.log("PORT", server.port);`,
    );
    const { command } = await bun();
    // Bun takes 0 for its default port, which another may have.
    await askProgram([...command, folder.at("main.ts")], { PORT: `${await freePort()}` });
  });

  it("for Hono", async () => {
    await using folder = await project();
    const command = await denoCommand(
      folder,
      `import { Hono } from "hono";
import { tokenForPage } from "./token_for_page.ts";
const hono = new Hono<{ Bindings: { SERVICE_ACCOUNT: string } }>();
${handler("Hono")}
const bindings = { SERVICE_ACCOUNT: Deno.env.get("SERVICE_ACCOUNT")! };
const server = Deno.serve({ port: 0 }, (request) => hono.fetch(request, bindings));
console.log("PORT", server.addr.port);`,
    );
    await askProgram(command);
  });

  it("for Express", async () => {
    await using folder = await project();
    const command = await denoCommand(
      folder,
      `import createApplication from "express";
import { tokenForPage } from "./token_for_page.ts";
const express = createApplication();
${handler("Express")}
const server = express.listen(0, () => console.log("PORT", server.address().port));`,
    );
    await askProgram(command);
  });

  it("for a Worker", async () => {
    await using folder = await project();
    const { outputFiles } = await esbuild.build({
      stdin: {
        contents: `import { tokenForPage } from "./token_for_page.ts";\n${handler("a Worker")}`,
        resolveDir: folder.path,
        loader: "ts",
      },
      alias: { "@telequick/sdk/token": fileURLToPath(new URL("src/token/mod.ts", root)) },
      ...{ bundle: true, format: "esm", target: "es2024", write: false },
    });
    await esbuild.stop();
    const worker = new Miniflare({
      modules: true,
      script: outputFiles[0]!.text,
      compatibilityDate: "2026-01-01",
      bindings: { SERVICE_ACCOUNT: serviceAccount },
    });
    try {
      const response = await worker.dispatchFetch("http://worker.test/telequick-token");
      await checkAnswer(response as unknown as Response);
    } finally {
      await worker.dispose();
    }
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
