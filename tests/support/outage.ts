import { type ClientOptions, type ClientStatus, TeleQuickClient } from "../../mod.ts";
import type { TokenProvider } from "../../src/client/mod.ts";
import { FakeClock, scriptedGateway } from "../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "./unsigned_token.ts";

/** Something that fails for a while. */
export interface Fault {
  /** What the gateway answers a token with meanwhile. Default: it accepts. */
  readonly answer?: (nowMs: number) => object;
  /** What the token function does meanwhile. Default: it gives a token. */
  readonly token?: () => string | Promise<string>;
  /** Whether the gateway cannot be reached meanwhile. */
  readonly isUnreachable?: boolean;
}

/** What a client did about it. */
export interface Outage {
  readonly statuses: readonly ClientStatus[];
  /** One line for each status, token and handshake, with the milliseconds since the loss. */
  readonly timeline: readonly string[];
  readonly tokens: number;
  readonly handshakes: number;
  /** What the client was doing half a minute after the fault had passed. */
  readonly status: ClientStatus["type"];
}

/** Loses a client's only session, lets a fault last, and looks on for 30 s more. */
export async function outage(
  fault: Fault,
  lastsMs: number,
  options: ClientOptions = {},
): Promise<Outage> {
  const clock = new FakeClock();
  const timeline: string[] = [];
  const count = { tokens: 0, handshakes: 0 };
  let lostAt = 0;
  let isOn = false;
  const note = (line: string): void => {
    if (isOn || lostAt > 0) {
      timeline.push(`${String(clock.monotonic() - lostAt).padStart(6)}  ${line}`);
    }
  };
  const gateway = scriptedGateway({
    onAttempt: () => {
      if (!isOn) return;
      if (!fault.isUnreachable) return;
      note("dial: unreachable");
      throw new Error("unreachable");
    },
    scripts: {
      Authenticate: () => {
        const accepted = { status: "OK", tenantId: "acme", serverTimeMs: clock.now() };
        const reply = isOn ? { ...accepted, ...fault.answer?.(clock.now()) } : accepted;
        if (lostAt > 0) count.handshakes++;
        note(`handshake: ${"errorMessage" in reply ? reply.errorMessage : "OK"}`);
        return reply;
      },
    },
  });
  const provider: TokenProvider = () => {
    if (lostAt > 0) count.tokens++;
    note("token asked for");
    return isOn && fault.token ? fault.token() : UNSIGNED_TOKEN;
  };
  const client = new TeleQuickClient("https://gateway.test", provider, true, {
    webTransport: gateway.webTransport,
    clock,
    ...options,
  });
  const statuses: ClientStatus[] = [];
  void (async () => {
    for await (const status of client.status()) {
      statuses.push(status);
      note(shown(status));
    }
  })();
  await client.connect();
  await clock.advance(15_000);
  lostAt = clock.monotonic();
  isOn = true;
  gateway.peers.at(-1)?.pair.sever();
  await clock.advance(lastsMs);
  isOn = false;
  note("the fault has passed");
  await clock.advance(30_000);
  const status = client.stats().session.status;
  const closing = client.close();
  await clock.advance(10_000);
  await closing;
  return { statuses, timeline, ...count, status };
}

function shown(status: ClientStatus): string {
  if (status.type !== "reconnecting") return `status: ${status.type}`;
  const { attempt, delayMs, cause, refusal } = status;
  const why = cause instanceof Error ? cause.message : String(cause);
  const refused = refusal === undefined ? "" : ` [${refusal}]`;
  return `status: reconnecting, attempt ${attempt} in ${delayMs} ms${refused}: ${why}`;
}
