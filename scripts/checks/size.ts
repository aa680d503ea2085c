/**
 * What programs that use the package weigh in a browser: bundled, minified and gzipped (level 9), beside the same program of a peer.
 * `deno run -A scripts/checks/size.ts`
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { concatBytes } from "../../src/base/bytes.ts";
import { readManifest } from "../build/manifest.ts";
import { buildPage } from "../build/panel.ts";
import { root } from "../support/source.ts";
import { conclude, print } from "../support/terminal.ts";

/** A program, and the most that it may weigh in bytes. */
interface Program {
  readonly name: string;
  readonly code: string;
  /** Default: none, it is there to be compared with. */
  readonly limit?: number;
  /** Folders and files of the source that it must not contain, by the beginning of their path. */
  readonly without?: readonly string[];
}

// What only verifiers that share a store need.
const stores = ["src/postgres/", "src/base/store/", "src/token/store_", "src/token/shared"];

const programs: readonly Program[] = [
  {
    name: "edge: account in, browser token out",
    code:
      `import { importSigner, mintBrowserToken, parseServiceAccount } from "@telequick/sdk/token";
      export const mint = async (text) => mintBrowserToken(await importSigner(parseServiceAccount(text)));`,
    limit: 6 * 1024,
    without: stores,
  },
  {
    name: "  the same with jose",
    code: `import { importPKCS8, SignJWT } from "jose";
      export const mint = async (text) => {
        const { tenant_id, private_key, private_key_id: kid } = JSON.parse(text);
        return new SignJWT({ iss: "telequick-sdk", sub: tenant_id }).setIssuedAt().setExpirationTime("5m")
          .setProtectedHeader({ alg: "RS256", typ: "JWT", kid }).sign(await importPKCS8(private_key, "RS256"));
      };`,
  },
  {
    name: "verifyToken()",
    code: 'export { verifyToken } from "@telequick/sdk/token"',
    limit: 6 * 1024,
    without: stores,
  },
  {
    name: "  the same with jose",
    code: `import { createLocalJWKSet, jwtVerify } from "jose";
      export const verify = (token, jwks) =>
        jwtVerify(token, createLocalJWKSet(jwks), { algorithms: ["RS256"], issuer: "telequick-sdk" });`,
  },
  {
    name: "./wire, AudioFrame and CallEvent",
    code: 'export { AudioFrame, CallEvent } from "@telequick/sdk/wire"',
    limit: 4_352,
  },
  {
    name: "./wire, all of it",
    code: 'export * from "@telequick/sdk/wire"',
    limit: 12 * 1024,
  },
  {
    name: "the whole client",
    code: 'export * from "@telequick/sdk"',
    limit: 68_000,
    without: [
      ...stores,
      "src/gateway/",
      "src/cli/",
      "src/transport/listen",
      "src/transport/napi/napi_listen.ts",
    ],
  },
  {
    name: "  with openAudio() beside it",
    code: 'export * from "@telequick/sdk"; export * from "@telequick/sdk/browser"',
    without: ["src/gateway/", "src/browser/worker/serve.ts"],
  },
  {
    name: "./postgres",
    code: 'export { postgresStore } from "@telequick/sdk/postgres"',
    // With the SQL of the schema, marks and their age included, and claims that are sent together.
    limit: 5_760,
    without: ["src/token/", "src/gateway/", "src/client/", "src/credentials/"],
  },
  {
    name: "the worklet's file",
    code: 'import "@telequick/sdk/browser/worklet.js"',
    limit: 2_560,
    without: ["src/base/", "src/client/"],
  },
];

/** The program's own module, and the chunks that it imports statically. */
function staticFiles({ outputs }: esbuild.Metafile): string[] {
  const files = Object.keys(outputs).filter((path) => outputs[path]!.entryPoint === "<stdin>");
  for (const path of files) {
    for (const { path: next, kind } of outputs[path]!.imports) {
      if (kind === "import-statement" && !files.includes(next)) files.push(next);
    }
  }
  return files;
}

// The panel's page, all its files: it is loaded before the first thing is seen.
const panelLimit = 12_000;

// What a page with a client carries besides: 6 KiB, and the worklet, which comes with the code as text.
const beside = ["the whole client", "  with openAudio() beside it", 6_144 + 2_560] as const;

/** Bundles a program from the source. */
async function weigh({ code, without = [] }: Program, doors: Record<string, string>): Promise<{
  readonly minified: number;
  readonly zipped: number;
  readonly foreign: readonly string[];
}> {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: { contents: code, resolveDir: root.pathname, loader: "js" },
    absWorkingDir: root.pathname,
    alias: doors,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    // What is loaded on demand is in chunks of its own, and is not weighed: a page never loads it.
    splitting: true,
    outdir: "size",
  });
  const loaded = staticFiles(metafile);
  const inputs: esbuild.Metafile["outputs"][string]["inputs"] = Object.assign(
    {},
    ...loaded.map((path) => metafile.outputs[path]!.inputs),
  );
  const parts = outputFiles.filter(({ path }) => loaded.some((name) => path.endsWith(`/${name}`)));
  const bytes = concatBytes(parts.map(({ contents }) => contents));
  return {
    minified: bytes.length,
    zipped: gzipSync(bytes, { level: 9 }).length,
    foreign: Object.entries(inputs)
      .filter(([path, { bytesInOutput }]) =>
        bytesInOutput > 0 && without.some((start) => path.startsWith(start))
      )
      .map(([path]) => path),
  };
}

const { name, exports } = await readManifest();
const jose = new URL(import.meta.resolve("jose")).pathname;
const doors: Record<string, string> = { jose };
for (const [door, path] of Object.entries(exports)) {
  doors[name + door.slice(1)] = new URL(path, root).pathname;
}
const violations: string[] = [];
const weights = new Map<string, number>();
print(`${"gzip".padStart(7)}${"limit".padStart(7)}${"minified".padStart(10)}`);
for (const program of programs) {
  const { minified, zipped, foreign } = await weigh(program, doors);
  const { name, limit } = program;
  const numbers = [[zipped, 7], [limit ?? "", 7], [minified, 10]] as const;
  const row = numbers.map(([number, width]) => String(number).padStart(width)).join("");
  print(`${row}  ${name}`);
  weights.set(name, zipped);
  if (zipped > (limit ?? Infinity)) violations.push(`${name} weighs ${zipped}, limit ${limit}`);
  for (const path of foreign) violations.push(`${name} contains ${path}`);
}
const page = [...(await buildPage()).values()].map((text) => new TextEncoder().encode(text));
const panel = page.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0);
const panelRow = [panel, panelLimit].map((number) => String(number).padStart(7)).join("");
print(
  `${panelRow}${
    String(concatBytes(page).length).padStart(10)
  }  the panel's page, without the package`,
);
if (panel > panelLimit) violations.push(`the panel's page weighs ${panel}, limit ${panelLimit}`);
await esbuild.stop();
const [client, both, most] = beside;
const door = weights.get(both)! - weights.get(client)!;
if (door > most) violations.push(`openAudio() adds ${door}, limit ${most}`);
conclude("sizes", `${programs.length} programs, 1 page`, violations);
