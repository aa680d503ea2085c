import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { TeleQuickClient } from "../../../src/client/mod.ts";
import type { ServiceAccount } from "../../../src/credentials/mod.ts";
import type {
  AddTrunkOptions,
  ClusterOptions,
  GatewayStats,
  PublishServiceAccountOptions,
  RevokeResult,
  RevokeServiceAccountOptions,
} from "../../../src/gateway/mod.ts";

import { certificateHash, type WebTransportLike } from "../../../src/transport/mod.ts";
import { ErrorCode } from "../../../src/wire/mod.ts";
import { RawClient } from "../../support/raw_client.ts";

/** What a gateway process is started with. */
export interface ClusterGatewayOptions {
  readonly databasePort: number;
  readonly gatewayId: string;
  /** Whether it listens for hints. Default: `true`. */
  readonly listens?: boolean;
  /** How long a statement can take, in milliseconds. */
  readonly timeoutMs?: number;
  readonly times?: Partial<Omit<ClusterOptions, "store" | "gatewayId">>;
}

/** What can be asked of a gateway process. */
export type GatewayRequest =
  | { readonly do: "publish"; readonly key: PublishServiceAccountOptions }
  | { readonly do: "revoke"; readonly key: RevokeServiceAccountOptions }
  | { readonly do: "trunk"; readonly trunk: AddTrunkOptions }
  | { readonly do: "stats" };

const SCRIPT = fileURLToPath(new URL("./gateway_process.ts", import.meta.url));

/** A gateway of a group, in a process of its own. */
export class ClusterGateway implements AsyncDisposable {
  readonly gatewayId: string;
  readonly endpoint: string;
  readonly #hash: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #clients = new Set<TeleQuickClient>();
  #id = 0;
  #isGone = false;

  private constructor(child: ChildProcess, gatewayId: string, said: Record<string, string>) {
    this.#child = child;
    this.gatewayId = gatewayId;
    this.endpoint = said["endpoint"]!;
    this.#hash = said["certificateHash"]!;
  }

  /** Starts one; resolves when it listens. */
  static async start(options: ClusterGatewayOptions): Promise<ClusterGateway> {
    const child = spawn(
      process.execPath,
      ["run", "-A", "--unstable-net", "--quiet", "--no-check", SCRIPT, JSON.stringify(options)],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const lines = createInterface({ input: child.stdout! });
    const [first] = await once(lines, "line");
    const gateway = new ClusterGateway(child, options.gatewayId, JSON.parse(first));
    lines.on("line", (line) => gateway.#take(line));
    return gateway;
  }

  /** Asks it something. Rejects with what it rejected with. */
  ask(request: GatewayRequest): Promise<unknown> {
    const id = ++this.#id;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#child.stdin!.write(`${JSON.stringify({ id, ...request })}\n`);
    return waiting.promise;
  }

  async revoke({ tenantId, privateKeyId }: ServiceAccount): Promise<RevokeResult> {
    const key = { tenantId, privateKeyId };
    return await this.ask({ do: "revoke", key }) as RevokeResult;
  }

  async stats(): Promise<GatewayStats & { readonly isReady: boolean }> {
    return await this.ask({ do: "stats" }) as GatewayStats & { readonly isReady: boolean };
  }

  /** A client of it that is not connected. */
  client(account: ServiceAccount): TeleQuickClient {
    const client = new TeleQuickClient(this.endpoint, account, false, this.#hash);
    this.#clients.add(client);
    return client;
  }

  /** What it answers to a token: `OK`, `later` for wire code 3, else why it refused it; and the session. */
  async signIn(
    token: string,
  ): Promise<{ readonly outcome: string; readonly session: RawClient }> {
    const hash = await certificateHash(this.#hash);
    const transport = new WebTransport(this.endpoint, {
      serverCertificateHashes: [hash],
    }) as unknown as WebTransportLike;
    await transport.ready;
    const session = new RawClient(transport);
    const reply = await session.authenticate(token);
    const outcome = reply?.status === "OK"
      ? "OK"
      : reply?.errorCode === ErrorCode.ERR_RATE_LIMITED
      ? "later"
      : `${reply?.errorMessage}`;
    if (outcome !== "OK") session.close();
    return { outcome, session };
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    const exited = once(this.#child, "exit");
    process.kill(this.#child.pid!, "SIGKILL");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close().catch(() => {})));
    await this.kill();
  }

  #take(line: string): void {
    const { id, result, error } = JSON.parse(line);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(Object.assign(new Error(error.message), error));
  }
}
