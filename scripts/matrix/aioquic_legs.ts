import { encodeBase64 } from "../../src/base/base64.ts";
import { createCertificate } from "../../src/transport/mod.ts";
import { type CheckResult, runChecks } from "../../tests/conformance/check.ts";
import { aioquicChecks } from "../../tests/live/aioquic/checks.ts";
import { debianCache, unpackDebian } from "./debian.ts";
import { openDesk } from "./desk.ts";
import { need } from "./install.ts";
import type { Leg } from "./legs.ts";
import { deno } from "./runtimes.ts";
import { run } from "../support/run.ts";

const FOLDER = "tests/live/aioquic";
const SUITE = "trixie";
const CLIENT_CHECKS = 9;

/** Python with aioquic: the words that start it, and its environment. */
interface Python {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The peer that is neither a browser nor ours: aioquic's client against the gateway on Deno, and the client on Deno against aioquic's
 * server. The gateway's process and its server's end with their leg.
 */
export const aioquicLegs: readonly Leg[] = [
  {
    suite: "live, Deno listens",
    runtime: "aioquic",
    checks: CLIENT_CHECKS,
    async run() {
      const python = await setUpAioquic();
      await using desk = await openDesk([
        ...deno().command,
        "tests/live/everywhere/gateway.ts",
      ]);
      const ask = async (question: string, details: unknown = {}): Promise<unknown> => {
        const body = JSON.stringify(details);
        const url = `http://desk/${question}`;
        const response = await desk.serve(new Request(url, { method: "POST", body }));
        if (!response.ok) throw new Error(await response.text());
        return await response.json();
      };
      const { endpoint } = await ask("open") as { endpoint: string };
      const { hostname, port } = new URL(endpoint);
      const token = await ask("token");
      const order = { hostname, port: Number(port), token, trunk: "acme-trunk" };
      const [command, ...words] = python.command;
      const { ok, output, stdout } = await run(
        command,
        [...words, `${FOLDER}/client.py`, JSON.stringify(order)],
        { env: python.env, timeoutMs: 180_000 },
      );
      if (!ok) throw new Error(output);
      const results = stdout.split("\n").filter((line) => line !== "")
        .map((line) => JSON.parse(line) as CheckResult);
      return { title: await titleOf(python), results };
    },
  },
  {
    suite: "live, aioquic listens",
    runtime: "Deno",
    checks: aioquicChecks({ endpoint: "", certificateHash: "" }).length,
    async run() {
      const python = await setUpAioquic();
      const folder = await Deno.makeTempDir();
      const { certificatePem, privateKeyPem, hash } = await createCertificate();
      await Deno.writeTextFile(`${folder}/certificate.pem`, certificatePem);
      await Deno.writeTextFile(`${folder}/key.pem`, privateKeyPem);
      const [command, ...words] = python.command;
      const server = new Deno.Command(command, {
        args: [...words, `${FOLDER}/server.py`, `${folder}/certificate.pem`, `${folder}/key.pem`],
        env: python.env,
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      try {
        const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
        const { value } = await lines.read();
        if (value === undefined) throw new Error("the server did not start");
        const results: CheckResult[] = [];
        const listener = {
          endpoint: `https://127.0.0.1:${Number(value)}`,
          certificateHash: encodeBase64(hash.value),
        };
        await runChecks(aioquicChecks(listener), (result) => void results.push(result));
        return { title: deno().title, results };
      } finally {
        server.kill("SIGKILL");
        await server.status;
        await Deno.remove(folder, { recursive: true });
      }
    },
  },
];

let python: Promise<Python> | undefined;

/** The system's Python where it has aioquic, else Debian's packages of it in a folder of their own. */
function setUpAioquic(): Promise<Python> {
  return python ??= findOrUnpack();
}

async function findOrUnpack(): Promise<Python> {
  if ((await run("python3", ["-c", "import aioquic"]).catch(() => ({ ok: false }))).ok) {
    return { command: ["python3"], env: {} };
  }
  const folder = debianCache(`aioquic-${SUITE}`);
  const found = pythonIn(`${folder}/root`);
  const works = async (): Promise<boolean> => {
    const [command, ...words] = found.command;
    const args = [...words, "-c", "import aioquic"];
    return (await run(command, args, { env: found.env }).catch(() => ({ ok: false }))).ok;
  };
  if (await works()) return found;
  await unpackDebian(folder, {
    suite: SUITE,
    packages: ["python3-aioquic"],
    withDependencies: true,
  });
  if (!await works()) {
    throw new Error(`Cannot run aioquic: Debian's packages in ${folder} do not work`);
  }
  return found;
}

function pythonIn(root: string): Python {
  const libraries = `${root}/usr/lib/${Deno.build.arch}-linux-gnu`;
  const loader = Deno.build.arch === "x86_64" ? "ld-linux-x86-64.so.2" : "ld-linux-aarch64.so.1";
  return {
    command: [
      `${libraries}/${loader}`,
      ...["--library-path", libraries],
      `${root}/usr/bin/python3.13`,
    ],
    env: {
      PYTHONHOME: `${root}/usr`,
      PYTHONPATH: `${root}/usr/lib/python3/dist-packages`,
      PYTHONDONTWRITEBYTECODE: "1",
    },
  };
}

async function titleOf({ command: [command, ...words], env }: Python): Promise<string> {
  const args = [...words, "-c", "import aioquic; print(aioquic.__version__)"];
  return `aioquic ${(await need(command, args, { env })).trim()}`;
}
