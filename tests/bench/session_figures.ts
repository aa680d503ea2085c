/**
 * What a day of sessions leaves behind: memory and descriptors of a process after renewals of one client and after connects one after
 * another, through the SDK and over the runtime's own transport, which signs in too, in turns, each after a forced collection.
 * `deno run -A --unstable-net tests/bench/session_figures.ts [--renewals 300] [--pause 0] [--collect-every 0] [--connects 1000] [--rounds 1] [--tarball package.tgz]`: with the
 * packed package on Node and Bun too, or `--only` one of them. `--semi-space 16` gives V8 a young generation of one size on Node, in MB.
 *
 * The SDK keeps a session that was replaced until nothing has come on it for a second: without a pause between renewals these overlap, and
 * what the engine had to reserve for them it keeps.
 *
 * @module
 */

// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { readManifest } from "../../scripts/build/manifest.ts";
import { install } from "../../scripts/matrix/install.ts";
import { bun, newestNode, node, withAddonLibrary } from "../../scripts/matrix/runtimes.ts";
import { root } from "../../scripts/support/source.ts";
import { importSigner, signToken } from "../../mod.ts";
import { certificateHash } from "../../src/transport/mod.ts";
import { encodeRequest, methods } from "../../src/wire/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import type { SessionsOrder, SessionsStage } from "./support/sessions_process.ts";

const { values } = parseArgs({
  options: {
    renewals: { type: "string", default: "300" },
    connects: { type: "string", default: "1000" },
    pause: { type: "string", default: "0" },
    "collect-every": { type: "string", default: "0" },
    rounds: { type: "string", default: "1" },
    tarball: { type: "string" },
    only: { type: "string", default: "" },
    "semi-space": { type: "string" },
  },
});

/** How a runtime starts the process. */
interface Leg {
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
}

async function legs(): Promise<Leg[]> {
  const script = new URL("tests/bench/support/sessions_process.ts", root);
  const folder = await Deno.makeTempDir();
  const { name, exports, unstable } = await readManifest();
  const imports = { [name]: new URL(exports["."]!, root).href };
  await Deno.writeTextFile(
    `${folder}/deno.json`,
    JSON.stringify({ imports, unstable, lock: false }),
  );
  await Deno.copyFile(script, `${folder}/sessions_process.ts`);
  const flags = ["run", "-A", "--unstable-net", "--no-check", "--quiet", "--v8-flags=--expose-gc"];
  const deno: Leg = { title: "Deno", command: [Deno.execPath(), ...flags], folder };
  if (values.tarball === undefined) return [deno];
  const installed = await install("sessions", {
    "@telequick/sdk": values.tarball,
    "@moq/web-transport": "0.1.4",
  });
  await Deno.copyFile(script, new URL("sessions_process.ts", installed));
  const runtimes = [
    await withAddonLibrary(await node(newestNode)),
    await withAddonLibrary(await bun()),
  ];
  return [
    deno,
    ...runtimes.map(({ title, command: [first, ...words] }): Leg => ({
      ...{ title, folder: installed.pathname },
      command: [first!, ...words, ...title.startsWith("Node") ? nodeFlags() : []],
    })),
  ];
}

/** With a young generation that does not grow, what is left is what a process holds. */
function nodeFlags(): string[] {
  const size = values["semi-space"];
  const fixed = size === undefined
    ? []
    : [`--min-semi-space-size=${size}`, `--max-semi-space-size=${size}`];
  return ["--expose-gc", ...fixed];
}

async function stages(leg: Leg, order: SessionsOrder): Promise<SessionsStage[]> {
  const [command, ...words] = leg.command;
  const { stdout, stderr, success } = await new Deno.Command(command, {
    args: [...words, "sessions_process.ts", JSON.stringify(order)],
    cwd: leg.folder,
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`${leg.title}: ${text}${new TextDecoder().decode(stderr)}`);
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

await using host = await GatewayHost.start();
const hash = await certificateHash(host.certificatePem);
const token = await signToken(await importSigner(host.account));
const order = {
  endpoint: host.endpoint,
  certificateHash: (hash.value as Uint8Array).toBase64(),
  account: JSON.stringify({
    tenant_id: host.account.tenantId,
    private_key_id: host.account.privateKeyId,
    private_key: host.account.privateKey,
  }),
  signIn: encodeRequest(methods.Authenticate, { token, sdk: "bare/0" }).toBase64(),
  renewals: Number(values.renewals),
  pauseMs: Number(values.pause),
  collectEvery: Number(values["collect-every"]),
  connects: Number(values.connects),
};
for (const leg of await legs()) {
  if (!leg.title.includes(values.only)) continue;
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const way of ["bare", "sdk"] as const) {
      const line = (await stages(leg, { ...order, way }))
        .map(({ stage, rssMb, heapMb, usedMb, descriptors }) =>
          `${stage} ${rssMb} MB (heap ${heapMb}, in use ${usedMb}) ${descriptors} descriptors`
        );
      console.log(`${leg.title.padEnd(12)} ${way.padEnd(5)} ${line.join(", ")}`);
    }
  }
}
