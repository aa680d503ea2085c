import * as esbuild from "esbuild";
import { Miniflare } from "miniflare";
import { TeleQuickClient } from "../../mod.ts";
import { generateServiceAccount } from "../../src/credentials/mod.ts";
import {
  type ChooseFarEnd,
  createGateway,
  type FarEndPhone,
  type Gateway,
} from "../../src/gateway/mod.ts";
import { install } from "./install.ts";
import { newestNode, node, withAddonLibrary } from "./runtimes.ts";
import { runSoftphone } from "./softphone.ts";
import { serveModel } from "../support/realtime_model.ts";
import { root } from "../support/source.ts";

/** A program of `tests/examples/`, and what it has to do. */
export interface Example {
  readonly title: string;
  /** Runs it with the package installed. Returns what was wrong; empty when nothing was. */
  run(tarball: string): Promise<readonly string[]>;
}

const TENANT = "acme";
const TRUNK = "trunk-1";
const LONGEST_MS = 60_000;

/** A gateway over QUIC, and the environment in which a program finds it. */
interface Stage extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly env: Readonly<Record<string, string>>;
  /** A client of the tenant in this process. */
  readonly client: TeleQuickClient;
}

async function openStage(farEnd?: ChooseFarEnd): Promise<Stage> {
  const gateway = createGateway(farEnd === undefined ? {} : { farEnd });
  const { account, json, publicKeyPem } = await generateServiceAccount({ tenantId: TENANT });
  const { privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId: TENANT, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId: TENANT, trunkId: TRUNK });
  const { endpoint, certificateHash } = await gateway.listen();
  const credentials = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(credentials, json, { mode: 0o600 });
  const { webTransport } = gateway;
  const client = new TeleQuickClient(endpoint, account, false, { webTransport });
  return {
    gateway,
    client,
    env: {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: credentials,
      TELEQUICK_TRUNK: TRUNK,
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await gateway.close();
      await Deno.remove(credentials);
    },
  };
}

/** A program under way. */
interface Running {
  /** All that it has written so far. */
  readonly output: () => string;
  /** Resolves when the output holds a text; rejects when the program ends without it. */
  until(text: string): Promise<void>;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Resolves with its exit code. */
  readonly ended: Promise<number>;
}

/** Starts an example on Node, in a folder in which the package is installed. */
async function start(
  name: string,
  args: readonly string[],
  tarball: string,
  env: Readonly<Record<string, string>>,
): Promise<Running> {
  const folder = await install("examples", {
    "@telequick/sdk": tarball,
    "@moq/web-transport": "0.1.4",
    "@openai/agents-realtime": "0.20.0",
  });
  await Deno.copyFile(new URL(`tests/examples/${name}`, root), new URL(name, folder));
  const { command: [command, ...words] } = await withAddonLibrary(await node(newestNode));
  const child = new Deno.Command(command, {
    args: [...words, name, ...args],
    cwd: folder,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(LONGEST_MS),
  }).spawn();
  let output = "";
  const waiting = new Set<() => void>();
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (
      const text of stream.pipeThrough(
        new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
      )
    ) {
      output += text;
      for (const look of [...waiting]) look();
    }
  };
  const read2 = Promise.all([read(child.stdout), read(child.stderr)]);
  const ended = Promise.all([child.status, read2]).then(([{ code }]) => code);
  return {
    output: () => output,
    kill: (signal) => child.kill(signal),
    ended,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!output.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        ended.then(() => reject(new Error(`It ended without "${text}":\n${output}`)));
        look();
      }),
  };
}

/** Waits for the end of a program that has to end well and to have written some lines. */
async function judge(running: Running, expected: readonly RegExp[]): Promise<string[]> {
  const code = await running.ended;
  const output = running.output();
  const missing = expected.filter((line) => !line.test(output));
  if (code === 0 && missing.length === 0) return [];
  return [`exit code ${code}, without ${missing.join(" and ") || "any line missing"}:\n${output}`];
}

/** Collects when the far end hears something louder than silence, in milliseconds from the answer. */
function listening(script: FarEndPhone["script"]): { phone: FarEndPhone; loudMs: number[] } {
  const loudMs: number[] = [];
  let answeredAt = 0;
  return {
    loudMs,
    phone: {
      script,
      onAnswer: (atMs) => void (answeredAt = atMs),
      onAudio({ samples, atMs }) {
        if (samples.some((sample) => Math.abs(sample) > 1_000)) loudMs.push(atMs - answeredAt);
      },
    },
  };
}

const silence = new Int16Array(8_000);

/** Every example. */
export const examples: readonly Example[] = [
  {
    title: "outbound agent",
    async run(tarball) {
      const { phone, loudMs } = listening([
        { type: "answer" },
        { type: "wait", ms: 1_500 },
        { type: "talk", ms: 600 },
        { type: "play", samples: silence },
        { type: "wait", ms: 1_000 },
        { type: "hangUp" },
      ]);
      await using stage = await openStage(() => phone);
      const model = serveModel();
      const env = { ...stage.env, REALTIME_URL: model.url, OPENAI_API_KEY: "test" };
      const running = await start("outbound_agent.mjs", [], tarball, env);
      const faults = await judge(running, [
        /^answered$/m,
        /^interrupted$/m,
        /^ended after \d s: normal call clearing$/m,
      ]);
      await model.close();
      const heard = (from: number, to: number): number =>
        loudMs.filter((ms) => ms >= from && ms < to).length;
      if (heard(0, 1_500) < 20) faults.push("the far end heard nothing before it interrupted");
      // A quarter of a second is the way from the far end to the model and back, and the machine's load.
      if (heard(1_750, 2_100) > 10) faults.push("the far end heard the agent while it interrupted");
      if (heard(2_100, 9_999) < 10) faults.push("the far end heard no answer after it interrupted");
      return faults.length === 0 ? [] : [...faults, running.output(), loudMs.join(" ")];
    },
  },
  {
    title: "inbound receptionist",
    async run(tarball) {
      const { phone, loudMs } = listening([
        { type: "answer" },
        { type: "play", samples: silence },
        { type: "press", digits: "2" },
        { type: "play", samples: silence },
      ]);
      await using stage = await openStage(() => phone);
      const running = await start("receptionist.mjs", [], tarball, { ...stage.env, CALLS: "1" });
      await running.until("ready");
      await stage.gateway.simulateInboundCall({ tenantId: TENANT, trunkId: TRUNK });
      const faults = await judge(running, [
        /^\+15550199 pressed 2: transferred to sip:support@pbx\.example$/m,
      ]);
      return loudMs.length > 10 ? faults : [...faults, "the caller heard no greeting"];
    },
  },
  {
    title: "worker of a fleet",
    async run(tarball) {
      const { phone, loudMs } = listening([
        { type: "answer" },
        { type: "wait", ms: 1_500 },
        { type: "hangUp" },
      ]);
      await using stage = await openStage(() => phone);
      const running = await start("worker.mjs", [], tarball, stage.env);
      await running.until("ready");
      await stage.gateway.simulateInboundCall({ tenantId: TENANT, trunkId: TRUNK });
      await running.until("answered");
      running.kill("SIGTERM");
      const faults = await judge(running, [
        /^answered \+15550199$/m,
        /^leaving$/m,
        /^\+15550199 hung up after [12] s$/m,
        /^left, 0 calls go on$/m,
      ]);
      return loudMs.length > 10 ? faults : [...faults, "the caller heard no greeting"];
    },
  },
  {
    title: "campaign",
    async run(tarball) {
      await using stage = await openStage();
      const numbers = ["+15550100", "+15550101", "+15550103", "+15550106"];
      return await judge(await start("campaign.mjs", numbers, tarball, stage.env), [
        /^4 numbers loaded: /m,
        /^\w{8} {2}BUSY {8}0 s, user busy$/m,
        /^\w{8} {2}COMPLETED {3}1 s, normal call clearing$/m,
        /^4 called, 2 answered$/m,
      ]);
    },
  },
  {
    title: "supervisor",
    async run(tarball) {
      await using stage = await openStage();
      const running = await start("supervisor.mjs", [], tarball, stage.env);
      await running.until("waiting for a call");
      const call = await stage.client.dial({ to: "+15550106", trunkId: TRUNK });
      await running.until("level");
      await call.hangUp();
      return await judge(running, [
        new RegExp(`^listening to ${call.callSid}$`, "m"),
        /^level -(9|1\d) dB$/m,
        /^the call has ended$/m,
      ]);
    },
  },
  {
    title: "token backend on workerd",
    run: runBackend,
  },
  {
    title: "softphone in Chromium, built with Vite",
    run: runSoftphone,
  },
];

async function runBackend(tarball: string): Promise<readonly string[]> {
  const folder = await install("examples-backend", {
    "@telequick/sdk": tarball,
    "hono": "4.13.19",
  });
  const entry = new URL("token_backend.ts", folder).pathname;
  await Deno.copyFile(new URL("tests/examples/token_backend.ts", root), entry);
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  const gateway = createGateway();
  const { account, json, publicKeyPem } = await generateServiceAccount({ tenantId: TENANT });
  const { privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId: TENANT, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId: TENANT, trunkId: TRUNK });
  const worker = new Miniflare({
    modules: true,
    script: outputFiles[0]!.text,
    compatibilityDate: "2026-01-01",
    bindings: {
      SERVICE_ACCOUNT: json,
      PAGE_ORIGIN: "https://app.example",
      SESSION_SECRET: "session-1",
    },
  });
  const ask = (headers: Record<string, string>) =>
    worker.dispatchFetch("http://worker.test/telequick-token", { headers });
  const faults: string[] = [];
  try {
    const stranger = await ask({});
    if (stranger.status !== 401) {
      faults.push(`a request without a session got ${stranger.status}, expected 401`);
    }
    const response = await ask({
      authorization: "Bearer session-1",
      origin: "https://app.example",
    });
    const token = await response.text();
    if (response.headers.get("access-control-allow-origin") !== "https://app.example") {
      faults.push("the page's origin is not allowed");
    }
    const { webTransport } = gateway;
    const client = new TeleQuickClient("https://gateway.test", token, true, { webTransport });
    const call = await client.dial({ to: "+15550101", trunkId: TRUNK });
    const { q850Cause } = await call.ended;
    if (q850Cause !== 17) faults.push(`the page's call ended with ${q850Cause}, expected 17`);
    await client.close();
  } finally {
    await worker.dispose();
    await gateway.close();
  }
  return faults;
}
