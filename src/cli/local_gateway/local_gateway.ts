/**
 * The local gateway of the command line: with a tenant, a trunk and a credentials file.
 *
 * @module
 */

import { messageOf } from "../../base/text/message.ts";
import {
  generateServiceAccount,
  importSigner,
  loadServiceAccount,
  type ServiceAccount,
} from "../../credentials/mod.ts";
import {
  createGateway,
  type Gateway,
  type GatewayLogRecord,
  type GatewayStats,
  type Limits,
  limits,
} from "../../gateway/mod.ts";
import type { Clock } from "../../base/signal.ts";
import { InboundRule } from "../../wire/mod.ts";
import type { OptionSpecs, OptionValues } from "../terminal/args.ts";
import { checkNames } from "../account.ts";
import type { Output } from "../terminal/output.ts";
import type { Platform } from "../platform.ts";
import { quotePath, UsageError } from "../usage.ts";
import { openHealthServer } from "../health_server.ts";
import { CLUSTER_OPTIONS, openCluster } from "./cluster.ts";
import { type ControlServer, type ControlServerOptions, openControl } from "./control_server.ts";
import { checkIsNotPhones, PHONE_NUMBER, readPhones, readScripts } from "./far_ends.ts";
import { openKeptAddress } from "./kept_address.ts";
import { listenLastingly } from "./listening.ts";

/** Options of both commands that start a gateway. */
export const GATEWAY_OPTIONS = {
  "hostname": {
    type: "text",
    value: "ADDRESS",
    help: "Address to bind; an address other than loopback opens it to the network",
    byDefault: "127.0.0.1",
  },
  "port": {
    type: "number",
    value: "PORT",
    help: "UDP port; 0 selects a free one, which a folder remembers",
    max: 65_535,
    byDefault: "0",
  },
  "directory": {
    type: "text",
    value: "PATH",
    help: "Keep keys, trunks, the credentials file, the certificate and the port in this folder",
    byDefault: "keep nothing",
  },
  "credentials": {
    type: "text",
    value: "PATH",
    help: "The service-account file; created if it does not exist",
    byDefault: "service-account.json in the folder",
  },
  "tenant": {
    type: "text",
    value: "ID",
    help: "The tenant of a new service-account file",
    byDefault: "acme",
  },
  "trunk": { type: "text", value: "ID", help: "The tenant's trunk", byDefault: "trunk-1" },
  "channels": {
    type: "number",
    value: "CALLS",
    help: "Concurrent calls on the trunk",
    min: 1,
    max: 100_000,
    byDefault: "500",
  },
  "limit": {
    type: "list",
    value: "NAME=NUMBER",
    help: "Set a limit; telequick gateway --limits lists them",
  },
  "allow-fetch": {
    type: "list",
    value: "ORIGIN",
    help: "What the gateway may fetch for tenants: https://host, host:port, file:///folder/",
  },
  "phone": {
    type: "list",
    value: "NUMBER",
    help: "A number that rings in the panel's phone, in place of the default",
    byDefault: PHONE_NUMBER,
  },
  "recordings": {
    type: "text",
    value: "PATH",
    help: "Record every answered call as a WAV file in this folder",
    byDefault: "no recordings",
  },
  "seed": {
    type: "number",
    value: "NUMBER",
    help: "Seed of the simulated far end",
    max: 2 ** 32 - 1,
    byDefault: "random",
  },
  "script": {
    type: "text",
    value: "FILE",
    help: "What the far end of each number does, as JSON; the gateway's README describes it",
    byDefault: "the test numbers",
  },
  ...CLUSTER_OPTIONS,
  "yes": { type: "flag", help: "Start even if NODE_ENV is production" },
} as const satisfies OptionSpecs;

/** A local gateway that listens. */
export interface LocalGateway {
  readonly gateway: Gateway;
  readonly endpoint: string;
  /** What clients pin: one hash, or with a folder those of this certificate and the next, separated by commas. */
  readonly certificateHash: string;
  /** Path of the service-account file, from the root. */
  readonly credentials: string;
  readonly tenantId: string;
  readonly keyId: string;
  readonly trunkId: string;
  /** What it has counted. */
  stats(): GatewayStats;
  /** Ends its sessions, closes, removes temporary files of this run. */
  close(): Promise<void>;
}

/** Options of {@linkcode startLocalGateway}. */
export interface StartOptions {
  readonly values: OptionValues<typeof GATEWAY_OPTIONS>;
  readonly platform: Platform;
  readonly output: Output;
  readonly clock: Clock;
  /** Receives the gateway's log records. Default: they are dropped. */
  readonly log?: (record: GatewayLogRecord) => void;
  /** Called when clients should pin other hashes from now on. Default: nothing happens. */
  readonly onHashes?: (hashes: string) => void;
}

/** Starts a gateway; creates a tenant, a trunk and, unless it exists, a credentials file. */
export async function startLocalGateway(options: StartOptions): Promise<LocalGateway> {
  const { values, platform, output, clock, log } = options;
  if (platform.variable("NODE_ENV") === "production" && !values.yes) {
    throw new UsageError(
      "Cannot start gateway: NODE_ENV is production, and this one is for development and tests (start it all the same with --yes)",
    );
  }
  const { directory, hostname = "127.0.0.1", port = 0, trunk: trunkId = "trunk-1" } = values;
  if (!["127.0.0.1", "::1", "localhost"].includes(hostname)) {
    output.warn(`The gateway is open to everyone who can reach ${hostname}`);
  }
  // Asked before the gateway is made, which creates its folder.
  const isFresh = directory === undefined || !await platform.exists(directory);
  const farEnd = values.script === undefined
    ? undefined
    : await readScripts(values.script, platform);
  const shared = values.cluster === undefined
    ? undefined
    : await openCluster(values.cluster, values["gateway-id"]);
  const gateway = createGateway({
    clock,
    phones: readPhones(values.phone),
    ...(farEnd !== undefined && { farEnd }),
    limits: readLimits(values.limit),
    allowFetch: values["allow-fetch"].map(readOrigin),
    // With a cluster the folder keeps this gateway's own: credentials, certificate, port.
    ...(shared !== undefined
      ? { cluster: shared.cluster }
      : directory !== undefined && { directory }),
    ...(values.recordings !== undefined && { recordings: values.recordings }),
    ...(values.seed !== undefined && { seed: values.seed }),
    ...(log !== undefined && { log }),
  });
  // Made only where the options are good, removed in every case. The socket of its control is there too: its path is short.
  const temporary = await platform.makeTemporaryFolder();
  const folder = platform.absolute(directory ?? temporary);
  const closing: (() => void | Promise<void>)[] = [
    () => platform.remove(temporary),
    () => shared?.close(),
    () => gateway.close(),
  ];
  const close = async (): Promise<void> => {
    while (closing.length > 0) await closing.pop()!();
  };
  try {
    await platform.makeFolder(folder);
    const credentials = values.credentials === undefined
      ? platform.join(folder, "service-account.json")
      : platform.absolute(values.credentials);
    const { account, publicKeyPem, isNew } = await accountAt(credentials, options, gateway);
    const { tenantId, privateKeyId: keyId } = account;
    await gateway.publishServiceAccount({ tenantId, privateKeyId: keyId, publicKeyPem });
    // A trunk of an earlier run may have been changed since: it is only replaced when that is asked for.
    const isAsked = values.trunk !== undefined || values.channels !== undefined;
    const isShared = shared !== undefined &&
      gateway.inspect().trunks.some((trunk) =>
        trunk.tenantId === tenantId && trunk.trunkId === trunkId
      );
    if (isAsked || (!isShared && (isFresh || isNew))) {
      await gateway.addTrunk({
        ...{ tenantId, trunkId, channelLimit: values.channels ?? 500 },
        // Calls that come in wait to be answered.
        rejectIncomingCalls: false,
        inboundRule: InboundRule.NOTIFY_AND_HANGUP,
      });
    }
    const kept = directory === undefined
      ? undefined
      : await openKeptAddress({ folder, hostname, platform, clock });
    const listening = await listenLastingly({
      ...{ gateway, hostname, port, kept, clock, output },
      onHashes: (hashes) => options.onHashes?.(hashes),
      announce: async (hashes) => await control?.announce(hashes),
    });
    closing.push(() => listening.stop());
    const { endpoint } = listening;
    const healthPort = values["health-port"];
    if (healthPort !== undefined) {
      const health = await openHealthServer({
        hostname: values["health-hostname"] ?? "127.0.0.1",
        port: healthPort,
        isReady: () => gateway.isReady,
      });
      closing.push(() => health.close());
    }
    const answering = { gateway, tenantId, credentials, endpoint, folder: temporary, platform };
    const control = await controlOf(answering, listening.certificateHash, output);
    if (control !== undefined) closing.push(() => control?.close());
    return {
      ...{ gateway, endpoint, credentials, tenantId, keyId, trunkId },
      get certificateHash() {
        return listening.certificateHash;
      },
      stats: () => gateway.stats(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Answers the owner's commands. What stands in the way costs them, not the gateway. */
async function controlOf(
  options: ControlServerOptions,
  certificateHash: string,
  output: Output,
): Promise<ControlServer | undefined> {
  let control: ControlServer | undefined;
  try {
    control = await openControl(options);
    await control.announce(certificateHash);
    return control;
  } catch (error) {
    await control?.close();
    const why = messageOf(error);
    output.warn(`Commands such as telequick call-in cannot reach this gateway: ${why}`);
    return undefined;
  }
}

/** The service account of a file, or a new one that is written to it, with its public half. */
async function accountAt(
  path: string,
  { values, platform, output }: StartOptions,
  { phones }: Pick<Gateway, "phones">,
): Promise<{
  readonly account: ServiceAccount;
  readonly publicKeyPem: string;
  readonly isNew: boolean;
}> {
  if (await platform.exists(path)) {
    const account = await loadServiceAccount(path, { onWarning: (text) => output.warn(text) });
    checkIsNotPhones(account.tenantId, phones);
    await importSigner(account);
    const publicKeyPem = platform.publicHalf(account.privateKey);
    if (publicKeyPem !== undefined) return { account, publicKeyPem, isNew: false };
    throw new UsageError(
      `Cannot start gateway: the key in ${
        quotePath(path)
      } is not plain PEM (create another file: telequick keygen)`,
    );
  }
  const { tenant = "acme" } = values;
  checkNames(tenant, undefined);
  checkIsNotPhones(tenant, phones);
  const { account, publicKeyPem, json } = await generateServiceAccount({ tenantId: tenant });
  await platform.writeText(path, json, { mode: 0o600 });
  return { account, publicKeyPem, isNew: true };
}

/** An origin, a host with or without port, or a folder. */
function readOrigin(text: string): string {
  const isOrigin = URL.canParse(text) && new URL(text).origin === text;
  const isHost = URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text;
  const isFolder = text.startsWith("file:///") && URL.canParse(text);
  if (isOrigin || isHost || isFolder) return text;
  throw new UsageError(
    `Option --allow-fetch is ${
      JSON.stringify(text.slice(0, 64))
    }, expected an origin, a host or a folder such as https://hooks.example, 127.0.0.1:8080 or file:///data/`,
  );
}

function readLimits(texts: readonly string[]): Partial<Limits> {
  return Object.fromEntries(texts.map((text) => {
    const [name = "", value = ""] = text.split("=");
    if (!limits.some((limit) => limit.name === name)) {
      throw new UsageError(
        `Option --limit names ${
          JSON.stringify(name.slice(0, 48))
        }, expected one of telequick gateway --limits`,
      );
    }
    const number = Number(value);
    if (value === "" || !(number > 0)) {
      throw new UsageError(
        `Option --limit ${name} is not a positive number, expected ${name}=NUMBER`,
      );
    }
    return [name, number];
  }));
}

/** Environment variables with which a program finds the gateway. */
export function environmentOf(
  gateway: LocalGateway,
): Readonly<Record<string, string>> {
  return {
    TELEQUICK_ENDPOINT: gateway.endpoint,
    TELEQUICK_CERTIFICATE_HASH: gateway.certificateHash,
    TELEQUICK_CREDENTIALS: gateway.credentials,
    TELEQUICK_TRUNK: gateway.trunkId,
  };
}

/** A program of four lines that places a call on the gateway and prints how it ended. */
export function programFor(gateway: LocalGateway, to = "+15550105"): string {
  const { endpoint, credentials, certificateHash, trunkId } = gateway;
  const arguments_ = [endpoint, credentials].map((text) => JSON.stringify(text)).join(", ");
  return [
    `import { TeleQuickClient } from "@telequick/sdk";`,
    `const client = new TeleQuickClient(${arguments_}, false, ${JSON.stringify(certificateHash)});`,
    `const call = await client.dial({ to: "${to}", trunkId: ${JSON.stringify(trunkId)} });`,
    `console.log((await call.ended).cause); await client.close();`,
  ].join("\n");
}
