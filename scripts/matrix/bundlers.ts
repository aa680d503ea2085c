import { install } from "./install.ts";
import { run } from "../support/run.ts";
import { root } from "../support/source.ts";

/** A project that builds a program with the package in it, and runs what was built. */
export interface Bundler {
  /** Its name and version. */
  readonly title: string;
  /** Packages that it needs besides ours. */
  readonly packages: Readonly<Record<string, string>>;
  /** Files of the project besides the program, by their path. */
  readonly files: Readonly<Record<string, string>>;
  /** What is run, one after the other, with Node.js in the project's folder. */
  readonly commands: readonly (readonly string[])[];
}

const ESBUILD = "0.28.2";
const WEBPACK = "5.113.0";
const VITE = "8.4.0";
const VITEST = "5.1.2";
const JEST = "30.5.2";
const JSDOM = "29.0.2";
const NEXT = "15.5.29";
const REACT = "19.3.1";

/** What every project prints when it has minted a token and made a call. */
const DONE = "consumer: a token of 3 segments, a call that was answered";

/** Calls the program as a script does. */
const main = `import { program } from "./program.mjs";
program().then((line) => console.log(line));
`;

/** Calls the program as a test does; the page of the test is an imitation. */
const test = `import { program } from "./program.mjs";
test("the program runs", async () => {
  if (typeof document === "undefined") throw new Error("there is no page");
  console.log(await program());
});
`;

/** Every bundler and framework that is looked at. */
export const bundlers: readonly Bundler[] = [
  {
    title: `esbuild ${ESBUILD}, CommonJS`,
    packages: { esbuild: ESBUILD },
    files: {
      "main.mjs": main,
      "build.mjs": `import { buildSync } from "esbuild";
buildSync({
  ...{ entryPoints: ["main.mjs"], outfile: "out.cjs", bundle: true, platform: "node" },
  ...{ format: "cjs", target: "node20" },
});
`,
    },
    commands: [["build.mjs"], ["out.cjs"]],
  },
  {
    title: `webpack ${WEBPACK}`,
    packages: { webpack: WEBPACK },
    files: {
      "main.mjs": main,
      "build.mjs": `import webpack from "webpack";
import { fileURLToPath } from "node:url";
const path = fileURLToPath(new URL("dist", import.meta.url));
const options = { entry: "./main.mjs", target: "node", mode: "production" };
webpack({ ...options, output: { path, filename: "main.cjs" } }, (error, stats) => {
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString());
});
`,
    },
    commands: [["build.mjs"], ["dist/main.cjs"]],
  },
  {
    title: `Vite ${VITE}`,
    packages: { vite: VITE },
    files: {
      "main.mjs": main,
      "build.mjs": `import { build } from "vite";
await build({
  logLevel: "error",
  ssr: { noExternal: true },
  build: { ssr: "main.mjs", outDir: "dist", rollupOptions: { output: { format: "es" } } },
});
`,
    },
    commands: [["build.mjs"], ["dist/main.js"]],
  },
  {
    title: `vitest ${VITEST} with jsdom ${JSDOM}`,
    packages: { vitest: VITEST, jsdom: JSDOM },
    files: {
      "page.test.mjs": `// @vitest-environment jsdom\nimport { test } from "vitest";\n${test}`,
    },
    commands: [["node_modules/vitest/vitest.mjs", "run", "page.test.mjs"]],
  },
  {
    title: `jest ${JEST}, ESM, with jsdom`,
    packages: { jest: JEST, "jest-environment-jsdom": JEST },
    files: {
      "page.test.mjs": `/** @jest-environment jsdom */\n${test}`,
      // What jsdom hides of the platform, as the errors of the package say.
      "setup.cjs": `const { TextDecoder, TextEncoder } = require("node:util");
const web = require("node:stream/web");
Object.assign(globalThis, { TextDecoder, TextEncoder, ...web });
Object.defineProperty(globalThis, "crypto", { value: require("node:crypto").webcrypto });
`,
    },
    commands: [[
      ...["--experimental-vm-modules", "node_modules/jest/bin/jest.js"],
      ...["--testMatch=**/page.test.mjs", "--setupFiles=./setup.cjs"],
    ]],
  },
  {
    title: "require() in CommonJS",
    packages: {},
    files: {
      "main.cjs": `const { generateServiceAccount } = require("@telequick/sdk");
const { importSigner, mintBrowserToken } = require("@telequick/sdk/token");
if (typeof generateServiceAccount !== "function" || !importSigner || !mintBrowserToken) throw 1;
import("./program.mjs").then(({ program }) => program()).then(console.log);
`,
    },
    commands: [["main.cjs"]],
  },
  {
    title: `Next ${NEXT}`,
    packages: { next: NEXT, react: REACT, "react-dom": REACT },
    files: {
      "app/layout.js": "export default ({ children }) => <html><body>{children}</body></html>;\n",
      // Made when the pages are built, in the framework's own server runtime.
      "app/page.js": `import { program } from "../program.mjs";
export const dynamic = "force-static";
export default async function Page() {
  const line = await program();
  console.log(line);
  return <p>{line}</p>;
}
`,
    },
    commands: [["node_modules/next/dist/bin/next", "build"]],
  },
];

/**
 * Builds and runs one project in a folder of its own, in which the package is installed.
 *
 * @returns What was wrong; empty when the program minted its token and made its call.
 */
export async function runBundler(bundler: Bundler, tarball: string): Promise<readonly string[]> {
  const name = `bundler-${bundler.title.toLowerCase().replace(/\W.*/, "")}`;
  const folder = await install(name, { "@telequick/sdk": tarball, ...bundler.packages });
  const program = await Deno.readTextFile(new URL("tests/consumers/program.mjs", root));
  for (const [path, text] of Object.entries({ "program.mjs": program, ...bundler.files })) {
    await Deno.mkdir(new URL(".", new URL(path, folder)), { recursive: true });
    await Deno.writeTextFile(new URL(path, folder), text);
  }
  const outputs: string[] = [];
  for (const command of bundler.commands) {
    const { ok, output } = await run("node", command, {
      cwd: folder,
      timeoutMs: 180_000,
      env: { NEXT_TELEMETRY_DISABLED: "1" },
    });
    outputs.push(output);
    if (!ok) return outputs;
  }
  return outputs.some((output) => output.includes(DONE)) ? [] : outputs;
}

if (import.meta.main) {
  const { packPackage } = await import("../build/package.ts");
  const { conclude } = await import("../support/terminal.ts");
  const { tarball } = await packPackage();
  const [only = ""] = Deno.args;
  for (const bundler of bundlers.filter(({ title }) => title.includes(only))) {
    const began = performance.now();
    const violations = await runBundler(bundler, tarball);
    const seconds = Math.round((performance.now() - began) / 1_000);
    conclude("consumer", `${bundler.title}, ${seconds} s`, violations);
  }
}
