import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { TeleQuickClient } from "../../mod.ts";
import { markdownBlocks } from "../../scripts/checks/support/blocks.ts";
import { readManifest } from "../../scripts/build/manifest.ts";
import { serveModel } from "../../scripts/support/realtime_model.ts";
import { createGateway, type Gateway, type PhoneStep } from "../../src/gateway/mod.ts";
import { generateServiceAccount } from "../../src/credentials/mod.ts";
import { agentsRealtimeFile } from "../support/agents_realtime.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import type { LeavingProcess } from "../support/leaving_process.ts";

// Every program of the README and the guide that makes a call, and every example, over QUIC, with a far end that leaves at every step.

const root = new URL("../../", import.meta.url);
const tenantId = "acme";
// A program that does not end by itself is ended, and the test fails.
const LONGEST_MS = 60_000;
// The far end of this number stays for a while: programs that wait for a call that is answered get one.
const STAYING = "+15550177";

/** When the far end leaves. */
const steps: Readonly<Record<string, readonly PhoneStep[]>> = {
  "while it rings": [{ type: "ring", ms: 30 }, { type: "hangUp", q850Cause: 17 }],
  "at the answer": [{ type: "answer" }, { type: "hangUp" }],
  "in its first words": [{ type: "answer" }, { type: "talk", ms: 120 }, { type: "hangUp" }],
  "while speech waits": [{ type: "answer" }, { type: "talk", ms: 700 }, { type: "hangUp" }],
  "after all was said": [{ type: "answer" }, { type: "talk", ms: 1_600 }, { type: "hangUp" }],
};
// An incoming call does not ring by its phone: it waits until it is answered.
const ringsInbound: readonly PhoneStep[] = [{ type: "wait", ms: 1 }, { type: "hangUp" }];
const staying: readonly PhoneStep[] = [{ type: "answer" }, { type: "talk", ms: 300 }, {
  type: "hangUp",
}];

interface Scene {
  readonly trunkId: string;
  /** Calls the program's trunk: first who leaves, then one who stays for a while. */
  ring(): Promise<void>;
  /** Dials by another client of the tenant, first who leaves, then one who stays. */
  dial(): Promise<void>;
  /** Sends the program a signal. */
  kill(signal: Deno.Signal): void;
}

interface Program {
  /** The file; or what makes it of the folder it runs in. */
  readonly file: string | ((folder: string) => Promise<string>);
  readonly args?: readonly string[];
  /** What its last line is when all went well. */
  readonly says?: RegExp;
  /** The codes of its own errors that are documented for a call that is gone. Default: none. */
  readonly throws?: readonly string[];
  /** What happens when it has written a line. */
  readonly onLine?: (line: string, scene: Scene) => void;
}

const example = (name: string): string => fileURLToPath(new URL(`tests/examples/${name}`, root));

/** The first block of a page after a text, as a module that finds the gateway by its environment, and what calls what it exports. */
function block(page: string, after: string, caller = ""): Program["file"] {
  return async (folder) => {
    const text = await readFile(new URL(page, root), "utf8");
    const from = text.indexOf(`\n${after}`);
    assert.ok(from >= 0, `${page} has "${after}"`);
    const found = markdownBlocks(page, text.slice(from)).find(({ language }) =>
      /^(ts|js)$/.test(language)
    );
    assert.ok(found !== undefined, `${page} has a block after "${after}"`);
    const code = found.code
      .replaceAll('"https://engine.telequick.dev:9090"', "undefined")
      .replaceAll('"acme-trunk"', 'process.env.TELEQUICK_TRUNK ?? ""');
    const name = after.replace(/\W+/g, "-");
    await writeFile(join(folder, `${name}.${found.language}`), code);
    if (caller === "") return join(folder, `${name}.${found.language}`);
    const file = join(folder, `${name}-caller.ts`);
    await writeFile(
      file,
      `import { setTimeout } from "node:timers/promises";
      import * as block from "./${name}.${found.language}";\n${caller}`,
    );
    return file;
  };
}

const unanswered = ["ERR_CALL_ENDED"];
const programs: Readonly<Record<string, Program>> = {
  "README.md, first program": {
    file: block("README.md", "## First program"),
    says: /^(normal call clearing|user busy)$/,
    throws: unanswered,
  },
  "GUIDE.md, calls": {
    file: block("src/client/GUIDE.md", "## Calls"),
    says: /^(16 normal call clearing|17 user busy) \d$/,
  },
  "GUIDE.md, bridge": {
    file: block(
      "src/client/GUIDE.md",
      "## Audio",
      `
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onopen = () => {
          for (let i = 0; i < 40; i++) socket.send(new Int16Array(4_800));
        };
        return response;
      });
      const model = new WebSocket("ws://127.0.0.1:" + server.addr.port);
      await new Promise((resolve) => model.addEventListener("open", resolve, { once: true }));
      try {
        await block.bridge("+15550100", model);
        console.log("over");
      } finally {
        model.close();
        await server.shutdown();
      }`,
    ),
    says: /^over$/,
    throws: unanswered,
  },
  "GUIDE.md, fleets": {
    file: block(
      "src/client/GUIDE.md",
      "**Fleets.**",
      `
      const controller = new AbortController();
      const working = block.work("worker-1", controller.signal);
      console.log("ready");
      await setTimeout(1_200);
      controller.abort();
      console.log("left " + (await working).length);`,
    ),
    says: /^left 0$/,
    onLine: (line, scene) => void (line === "ready" && scene.ring()),
  },
  "GUIDE.md, supervision": {
    file: block("src/client/GUIDE.md", "## Supervision"),
    says: /^hears \S+, and speaks to the agent alone$/,
    // The call can end before the supervisor joins.
    throws: [...unanswered, "ERR_RPC_REJECTED"],
  },
  "outbound_agent.mjs": {
    file: example("outbound_agent.mjs"),
    args: ["+15550100"],
    says: /^ended after \d s: normal call clearing$/,
    throws: unanswered,
  },
  "receptionist.mjs": {
    file: example("receptionist.mjs"),
    onLine: (line, scene) => void (line === "ready" && scene.ring()),
  },
  "worker.mjs": {
    file: example("worker.mjs"),
    says: /^left, 0 calls go on$/,
    onLine(line, scene) {
      if (line === "ready") void scene.ring();
      if (line.startsWith(`${STAYING} hung up`)) scene.kill("SIGTERM");
    },
  },
  "campaign.mjs": {
    file: example("campaign.mjs"),
    args: ["+15550101", "+15550102"],
    says: /^2 called, [02] answered$/,
  },
  "supervisor.mjs": {
    file: example("supervisor.mjs"),
    says: /^the call has ended$/,
    onLine: (line, scene) => void (line === "waiting for a call" && scene.dial()),
  },
};

/** Files of tests/examples/ that are not run here. */
const others: Readonly<Record<string, string>> = {
  "README.md": "the list of the programs",
  "token_backend.ts": "it mints tokens, and makes no call",
  "token_verifier.ts": "it verifies tokens, and makes no call",
  runners: "tests in memory, whose far ends follow their own scripts",
  softphone: "a page: the browser room's tests let its far end leave",
};

describe("A far end that leaves ends no program", () => {
  let folder: TemporaryFolder;
  let gateway: Gateway;
  let client: TeleQuickClient;
  let model: Awaited<ReturnType<typeof serveModel>>;
  let env: Record<string, string>;

  before(async () => {
    folder = await temporaryFolder();
    gateway = createGateway({
      farEnd({ to, from, trunkId, direction }) {
        const step = Object.values(steps)[Number(trunkId.split("-").pop())];
        if (step === undefined) return undefined;
        if (to === STAYING || from === STAYING) return staying;
        return direction === "inbound" && step[0]?.type === "ring" ? ringsInbound : step;
      },
    });
    const { account, json, publicKeyPem } = await generateServiceAccount({ tenantId });
    const { privateKeyId } = account;
    await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
    const { endpoint, certificateHash } = await gateway.listen();
    const credentials = join(folder.path, "account.json");
    await writeFile(credentials, json, { mode: 0o600 });
    client = new TeleQuickClient(endpoint, account, { serverCertificateHash: certificateHash });
    await client.connect();
    model = serveModel();
    env = {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: credentials,
      CALLS: "1",
      REALTIME_URL: model.url,
      OPENAI_API_KEY: "test",
    };
    const { name, exports, unstable } = await readManifest();
    const doors = Object.entries(exports).map(([door, path]) =>
      [door.replace(/^\./, name), new URL(path, root).href] as const
    );
    const imports = {
      ...Object.fromEntries(doors),
      "@openai/agents-realtime": await agentsRealtimeFile(),
    };
    await writeFile(
      join(folder.path, "deno.json"),
      JSON.stringify({ imports, unstable, lock: false }),
    );
  });

  after(async () => {
    await client.close();
    await gateway.close();
    await model.close();
    await folder[Symbol.asyncDispose]();
  });

  it("has every file of tests/examples", async () => {
    const files = await readdir(new URL("tests/examples/", root));
    const known = [...Object.keys(others), ...Object.keys(programs)];
    assert.deepEqual(files.filter((file) => !known.includes(file)), []);
  });

  it("and every program runs on to its end, whenever that is", async (t) => {
    await Promise.all(
      Object.entries(programs).map(([title, program]) => t.test(title, () => run(title, program))),
    );
  });

  /** Runs a program once for each step, one after the other in one process. */
  async function run(title: string, program: Program): Promise<void> {
    const trunks = Object.keys(steps).map((_, i) => `${title.replace(/\W+/g, "-")}-${i}`);
    for (const trunkId of trunks) await gateway.addTrunk({ tenantId, trunkId });
    const { file, args = [] } = program;
    const argument: LeavingProcess = {
      file: typeof file === "string" ? file : await file(folder.path),
      ...{ args, trunks },
    };
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--unstable-net", "--no-check", "--quiet"],
        ...["--config", join(folder.path, "deno.json")],
        ...[fileURLToPath(new URL("tests/support/leaving_process.ts", root))],
        JSON.stringify(argument),
      ],
      env: { ...env, NO_COLOR: "1" },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
      signal: AbortSignal.timeout(LONGEST_MS),
    }).spawn();
    const runs: string[][] = [];
    const errors: string[] = [];
    const reading = [
      readLines(child.stderr, (line) => errors.push(line)),
      readLines(child.stdout, (line) => {
        if (line.startsWith("# run")) runs.push([]);
        else runs.at(-1)?.push(line);
        program.onLine?.(line, sceneOf(trunks[runs.length - 1]!, child));
      }),
    ];
    const [{ code }] = await Promise.all([child.status, ...reading]);
    assert.equal(code, 0, `it ends by itself:\n${runs.join("\n")}\n${errors.join("\n")}`);
    for (const [i, step] of Object.keys(steps).entries()) {
      const said = runs[i]?.filter((line) => line !== "# end") ?? [];
      const text = `${step}:\n${said.join("\n")}\n${errors.join("\n")}`;
      assert.ok(!said.some((line) => line.startsWith("# unhandled")), text);
      const last = said.pop();
      const [, code] = /^# threw (\S*)/.exec(last ?? "") ?? [];
      if (code !== undefined && program.throws?.includes(code) === true) continue;
      assert.equal(last, "# done", text);
      if (program.says !== undefined) assert.match(said.at(-1) ?? "", program.says, text);
    }
  }

  function sceneOf(trunkId: string, child: Deno.ChildProcess): Scene {
    return {
      trunkId,
      async ring() {
        await gateway.simulateInboundCall({ tenantId, trunkId });
        await gateway.simulateInboundCall({ tenantId, trunkId, from: STAYING });
      },
      async dial() {
        const first = await client.dial({ to: "+15550100", trunkId });
        await first.ended;
        const second = await client.dial({ to: STAYING, trunkId });
        await second.ended;
      },
      kill: (signal) => child.kill(signal),
    };
  }
});

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}
