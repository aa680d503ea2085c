import { generateServiceAccount, importSigner, type ServiceAccount, signToken } from "../../mod.ts";
import { createCertificate } from "../../src/transport/mod.ts";
import type { DeskQuestions, GatewayProcess, TokenWish } from "../../tests/live/everywhere/desk.ts";
import type { GatewayOrder, GatewayStart } from "../../tests/live/everywhere/gateway.ts";
import { freePort } from "../support/free_port.ts";
import { root } from "../support/source.ts";

/** The other side of a check's `Desk`: keeps the keys, starts and ends gateways. */
export interface DeskServer extends AsyncDisposable {
  /** Answers one question. */
  serve(request: Request): Promise<Response>;
}

/** A gateway's process, and what it was started with. */
interface Started {
  readonly start: GatewayStart;
  readonly process: Deno.ChildProcess;
  /** Its next line of output, read as JSON. */
  next(): Promise<unknown>;
  /** Writes a line of JSON to it. */
  tell(value: unknown): Promise<void>;
}

/**
 * Opens a desk.
 *
 * @param command The words that start `tests/live/everywhere/gateway.ts` on the gateways' runtime.
 */
export async function openDesk(
  [command, ...args]: readonly [string, ...string[]],
): Promise<DeskServer> {
  const accounts = new Map<
    string,
    { account: ServiceAccount; json: string; publicKeyPem: string }
  >();
  for (const privateKeyId of ["first", "second"]) {
    accounts.set(privateKeyId, await generateServiceAccount({ tenantId: "acme", privateKeyId }));
  }
  const forged = await generateServiceAccount({ tenantId: "acme", privateKeyId: "first" });
  const gateways = new Map<string, Started>();

  const launch = async (name: string, start: GatewayStart): Promise<GatewayProcess> => {
    const process = new Deno.Command(command, {
      args: [...args, JSON.stringify(start)],
      cwd: root,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(bySplitting())
      .getReader();
    const writer = process.stdin.getWriter();
    const started: Started = {
      start,
      process,
      async next() {
        const { value, done } = await lines.read();
        if (done) throw new Error("the gateway's process has ended");
        return JSON.parse(value);
      },
      tell: (value) => writer.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`)),
    };
    gateways.set(name, started);
    const { endpoint, certificateHash } = await started.next() as GatewayProcess;
    return { name, endpoint, certificateHash };
  };

  const named = (name: string): Started => {
    const started = gateways.get(name);
    if (started === undefined) throw new Error(`there is no gateway ${name}`);
    return started;
  };

  const answers: {
    readonly [Q in keyof DeskQuestions]: (
      ask: DeskQuestions[Q]["ask"],
    ) => Promise<DeskQuestions[Q]["answer"]>;
  } = {
    async open() {
      const { certificatePem, privateKeyPem } = await createCertificate();
      return await launch(`gateway-${gateways.size + 1}`, {
        accounts: [...accounts].map(([privateKeyId, { publicKeyPem }]) => ({
          tenantId: "acme",
          privateKeyId,
          publicKeyPem,
        })),
        trunks: ["acme", "globex"].map((tenantId) => ({
          tenantId,
          trunkId: `${tenantId}-trunk`,
          channelLimit: 50,
        })),
        listen: { port: await freePort(), certificate: { certificatePem, privateKeyPem } },
      });
    },
    async tell({ name, ...order }) {
      const started = named(name);
      await started.tell(order satisfies GatewayOrder);
      return await started.next();
    },
    async kill({ name }) {
      const { process } = named(name);
      process.kill("SIGKILL");
      await process.status;
      return "killed";
    },
    async restart({ name }) {
      const { start, process } = named(name);
      await process.status;
      return await launch(name, start);
    },
    async token({ key = "first", ageSeconds = 0 }: TokenWish) {
      const { account } = key === "forged" ? forged : accounts.get(key)!;
      const now = Date.now() - ageSeconds * 1000;
      return await signToken(await importSigner(account), { now });
    },
    account: () => Promise.resolve(accounts.get("first")!.json),
    closedPort: async () => `https://127.0.0.1:${await freePort()}`,
  };

  return {
    async serve(request) {
      const question = new URL(request.url).pathname.slice(1);
      try {
        if (!Object.hasOwn(answers, question)) return new Response("No", { status: 404 });
        const answer = answers[question as keyof DeskQuestions] as (
          ask: unknown,
        ) => Promise<unknown>;
        return Response.json(await answer(await request.json()));
      } catch (error) {
        return new Response(String(error), { status: 500 });
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { process } of gateways.values()) {
        try {
          process.kill("SIGKILL");
        } catch {
          // It has ended.
        }
        await process.status;
      }
    },
  };
}

/** Text as it comes, to whole lines. */
function bySplitting(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "") controller.enqueue(line);
    },
  });
}
