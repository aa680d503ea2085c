/**
 * The client of a command: endpoint, credentials and certificate from its options or the environment.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import { type ClientOptions, TeleQuickClient, type WarningKind } from "../client/mod.ts";
import { ACCOUNT_OPTIONS, accountPath, loadAccount } from "./account.ts";
import type { OptionSpecs, OptionValues } from "./terminal/args.ts";
import type { Context } from "./command.ts";
import { gatewayAdvice } from "./gateway_control.ts";
import { inLine, type Output } from "./terminal/output.ts";
import { UsageError } from "./usage.ts";

/** Options of every command that connects to a gateway. */
export const SESSION_OPTIONS = {
  "endpoint": {
    type: "text",
    value: "URL",
    help: "The gateway, https://host:9090",
    byDefault: "TELEQUICK_ENDPOINT",
  },
  ...ACCOUNT_OPTIONS,
  "certificate-hash": {
    type: "text",
    value: "BASE64",
    help: "SHA-256 of a self-signed gateway's certificate, or several, separated by commas",
    byDefault: "TELEQUICK_CERTIFICATE_HASH",
  },
  "timeout": {
    type: "number",
    value: "SECONDS",
    help: "Time limit of a connect, a request, and of reconnecting",
    min: 0.1,
    max: 600,
    fraction: true,
    byDefault: "10, and 300 for reconnecting",
  },
  "verbose": { type: "flag", help: "Print the client's log records on the standard error" },
} as const satisfies OptionSpecs;

/** The gateway of a command. */
export interface Target {
  readonly endpoint: string;
  /** Path of the service-account file, if known. */
  readonly credentials: string | undefined;
  readonly certificateHash: string | undefined;
}

type SessionContext = Pick<Context<typeof SESSION_OPTIONS>, "values" | "output" | "platform">;

/** Reads the address of the gateway from options and environment. */
export function targetOf(
  { values, platform }: Pick<SessionContext, "values" | "platform">,
): Target {
  const endpoint = values.endpoint ?? platform.variable("TELEQUICK_ENDPOINT");
  if (endpoint === undefined) {
    throw new UsageError(
      "No endpoint: pass --endpoint https://host:9090 or set TELEQUICK_ENDPOINT (telequick gateway starts a gateway here and prints it)",
    );
  }
  return {
    endpoint,
    credentials: accountPath({ values, platform }),
    certificateHash: values["certificate-hash"] ?? platform.variable("TELEQUICK_CERTIFICATE_HASH"),
  };
}

/** Creates the client. Nothing is sent yet; the credentials are read once, so that warnings about them are printed. */
export async function openClient(
  context: SessionContext,
  more: ClientOptions = {},
): Promise<TeleQuickClient> {
  const { values, output } = context;
  const { endpoint, credentials, certificateHash } = targetOf(context);
  await loadAccount(credentials, output);
  return new TeleQuickClient(endpoint, credentials, false, {
    serverCertificateHash: certificateHash,
    ...timeLimits(values),
    ...(values.verbose && { log: (record) => output.note(inLine(JSON.stringify(record))) }),
    ...more,
  });
}

/** Prints the client's warnings as notes, each when it is raised and when it is cleared, until the client closes. */
export async function showWarnings(
  client: TeleQuickClient,
  output: SessionContext["output"],
): Promise<void> {
  for await (const { kind, state, callSid, value } of client.warnings()) {
    const where = callSid === undefined ? "" : ` on call ${inLine(callSid)}`;
    const measured = state === "raised" ? ` (${value}${WARNING_UNITS[kind]})` : "";
    output.note(`Warning ${state}: ${kind}${where}${measured}`);
  }
}

const WARNING_UNITS: Readonly<Record<WarningKind, string>> = {
  "no-media": " ms without a frame",
  "high-loss": " % of frames lost",
  "high-jitter": " ms of jitter",
  "sending-late": " slots missed",
  "receive-overflow": " frames dropped",
  "token-expiring": " ms left",
  "timers-throttled": " late ticks",
};

/** The client's time limits from `--timeout`. */
export function timeLimits(
  values: Pick<OptionValues<typeof SESSION_OPTIONS>, "timeout">,
): Pick<ClientOptions, "connectTimeoutMs" | "requestTimeoutMs" | "giveUpAfterMs"> {
  if (values.timeout === undefined) return {};
  const ms = values.timeout * 1_000;
  return { connectTimeoutMs: ms, requestTimeoutMs: ms, giveUpAfterMs: ms };
}

/** Notes for people when the connection is lost and each time that it is sought again, with the cause. */
async function noteReconnects(client: TeleQuickClient, output: Output): Promise<void> {
  let isLost = false;
  for await (const status of client.status()) {
    if (status.type === "reconnecting") {
      const { attempt, cause } = status;
      const why = cause instanceof Error ? `: ${inLine(cause.message)}` : "";
      output.note(output.noteStyle.warn(`connection lost, reconnecting (${attempt})${why}`));
      isLost = true;
    } else if (status.type === "open" && isLost) {
      output.note(output.noteStyle.good("connected again"));
      isLost = false;
    }
  }
}

/** Connects. Where that fails because of a local gateway that has stopped or is another one now, the error says so. */
export async function connect(
  client: TeleQuickClient,
  context: SessionContext & Pick<Context, "signal">,
): Promise<void> {
  try {
    await client.connect({ signal: context.signal });
  } catch (error) {
    throw await withAdvice(error, context);
  }
}

/** A failed connect with what is known about the local gateway, if anything, in place of its general advice. */
export async function withAdvice(
  error: unknown,
  context: Pick<SessionContext, "values" | "platform">,
): Promise<unknown> {
  if (!(error instanceof TeleQuickError) || error.code !== "ERR_CONNECT_FAILED") return error;
  const advice = await gatewayAdvice(targetOf(context), context.platform);
  if (advice === undefined) return error;
  const { code, message, retryable } = error;
  const found = message.replace(/ \([^()]*\)$/, "");
  return new TeleQuickError(code, `${found} (${advice})`, { cause: error, retryable });
}

/** Runs `work` with a connected client, and closes the client afterwards. */
export async function withClient<T>(
  context: SessionContext & Pick<Context, "signal">,
  work: (client: TeleQuickClient) => Promise<T>,
  more: ClientOptions = {},
): Promise<T> {
  const client = await openClient(context, more);
  try {
    await connect(client, context);
    void noteReconnects(client, context.output);
    return await work(client);
  } finally {
    await client.close();
  }
}
