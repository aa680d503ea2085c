import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { generateServiceAccount, type ServiceAccount } from "../../mod.ts";
import { freePort } from "../../scripts/support/free_port.ts";
import { createCertificate, type Limits } from "../../src/gateway/mod.ts";

/** What a gateway process is started with. */
export interface GatewayProcessOptions {
  readonly port: number;
  readonly accounts: readonly {
    readonly tenantId: string;
    readonly privateKeyId: string;
    readonly publicKeyPem: string;
  }[];
  readonly trunks: readonly {
    readonly tenantId: string;
    readonly trunkId: string;
    readonly channelLimit: number;
  }[];
  readonly certificate: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly limits: Partial<Limits>;
}

const SCRIPT = fileURLToPath(new URL("./gateway_process.ts", import.meta.url));

/** A gateway in a process of its own, which can be killed and started again on the same port with the same certificate. */
export class GatewayHost implements AsyncDisposable {
  /** One for each tenant, in the order in which they were named. */
  readonly accounts: readonly ServiceAccount[];
  readonly certificatePem: string;
  #options: GatewayProcessOptions;
  #child: ChildProcess | undefined;

  private constructor(accounts: readonly ServiceAccount[], options: GatewayProcessOptions) {
    this.accounts = accounts;
    this.certificatePem = options.certificate.certificatePem;
    this.#options = options;
  }

  /**
   * Starts one with the trunk `main` for each tenant, by default for `acme` alone. RPCs are not limited unless `limits` says so.
   */
  static async start(
    limits: Partial<Limits> = {},
    tenantIds: readonly string[] = ["acme"],
    { channelLimit = 2_000 }: { readonly channelLimit?: number } = {},
  ): Promise<GatewayHost> {
    const made = await Promise.all(
      tenantIds.map((tenantId) => generateServiceAccount({ tenantId })),
    );
    const { certificatePem, privateKeyPem } = await createCertificate();
    const host = new GatewayHost(made.map(({ account }) => account), {
      // Not one that the system picks: a client that dials meanwhile could get it while the gateway is down.
      port: await freePort(),
      accounts: made.map(({ account, publicKeyPem }) => {
        const { tenantId, privateKeyId } = account;
        return { tenantId, privateKeyId, publicKeyPem };
      }),
      trunks: tenantIds.map((tenantId) => ({ tenantId, trunkId: "main", channelLimit })),
      certificate: { certificatePem, privateKeyPem },
      limits: { rpcsPerSecond: 1_000_000, rpcsPerSecondPerTenant: 1_000_000, ...limits },
    });
    await host.restart();
    return host;
  }

  /** The service account of the first tenant. */
  get account(): ServiceAccount {
    return this.accounts[0]!;
  }

  /** The process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The UDP port that it has, and keeps. */
  get port(): number {
    return this.#options.port;
  }

  /** What a client dials. */
  get endpoint(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Ends the process at once, without a word to anybody. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Stops the process as a suspended laptop does, or lets it go on. */
  suspend(stopped: boolean): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) process.kill(pid, stopped ? "SIGSTOP" : "SIGCONT");
  }

  /** Starts the process again; resolves when it listens. */
  async restart(): Promise<void> {
    const child = spawn(
      process.execPath,
      ["run", "-A", "--quiet", "--no-check", SCRIPT, JSON.stringify(this.#options)],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    this.#child = child;
    let told = "";
    for await (const chunk of child.stdout!) {
      told += String(chunk);
      if (told.includes("\n")) break;
    }
    const port = Number(new URL(told.trim()).port);
    this.#options = { ...this.#options, port };
  }

  /** Ends it as SIGTERM would: its sessions get the reason. */
  async shutDown(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exited = once(child, "exit");
    child.stdin?.write("\n");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exited = once(child, "exit");
    process.kill(child.pid!, signal);
    await exited;
  }
}
