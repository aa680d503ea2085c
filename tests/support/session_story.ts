import {
  type ClientOptions,
  type ClientStatus,
  TeleQuickClient,
  TeleQuickError,
} from "../../mod.ts";
import { FakeClock, scriptedGateway, type ScriptedGatewayOptions } from "../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "./unsigned_token.ts";

/** A client of a scripted gateway, on a fake clock. */
export interface Story {
  readonly client: TeleQuickClient;
  readonly clock: FakeClock;
  readonly gateway: ReturnType<typeof scriptedGateway>;
  readonly statuses: ClientStatus[];
  /** Reasons the token function was given. */
  readonly asked: string[];
  /** While it is down, every attempt to connect fails. */
  readonly network: { isUp: boolean };
}

/** Makes a {@linkcode Story}. */
export function story(
  options: ScriptedGatewayOptions & {
    readonly token?: (client: TeleQuickClient) => string | Promise<string>;
    readonly reconnect?: boolean;
    readonly life?: number;
    readonly giveUpAfterMs?: number;
    /** Further options of the client. */
    readonly client?: ClientOptions;
  } = {},
): Story {
  const clock = new FakeClock();
  const asked: string[] = [];
  const network = { isUp: true };
  const gateway = scriptedGateway({
    ...(options.life !== undefined && { expiresAtMs: () => clock.now() + options.life! }),
    ...options,
    onAttempt: (attempt) => {
      if (!network.isUp) throw new Error("unreachable");
      return options.onAttempt?.(attempt);
    },
  });
  const client: TeleQuickClient = new TeleQuickClient(
    "https://gateway.test:9090",
    ({ reason }) => {
      asked.push(reason);
      return options.token?.(client) ?? UNSIGNED_TOKEN;
    },
    true,
    {
      webTransport: gateway.webTransport,
      clock,
      reconnect: options.reconnect ?? true,
      giveUpAfterMs: options.giveUpAfterMs,
      ...options.client,
    },
  );
  const statuses: ClientStatus[] = [];
  void (async () => {
    for await (const status of client.status()) statuses.push(status);
  })();
  return { client, clock, gateway, statuses, asked, network };
}

/** The types of statuses. */
export function types(statuses: readonly ClientStatus[]): string[] {
  return statuses.map((status) => status.type);
}

/** The last gap that was reported. */
export function gapOf(
  statuses: readonly ClientStatus[],
): Extract<ClientStatus, { type: "events-may-be-missing" }> | undefined {
  return statuses.findLast((status) => status.type === "events-may-be-missing");
}

/** Accepts an error of the SDK with this code. */
export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof TeleQuickError && error.code === code;
}

/** A token that looks like one and lives five minutes; its signature is not looked at here. */
export function plainToken(clock: FakeClock): string {
  const now = Math.floor(clock.now() / 1_000);
  const part = (value: object): string =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const header = part({ alg: "RS256", typ: "JWT", kid: "key-1" });
  const claims = part({ iss: "telequick-sdk", sub: "acme", iat: now, exp: now + 300 });
  return `${header}.${claims}.${"A".repeat(342)}`;
}
