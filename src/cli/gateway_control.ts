/**
 * How commands reach a local gateway that runs in another process: a file beside its credentials file, readable by their owner alone, names
 * a local socket and the key that a question needs. What the gateway's own protocol has no word for goes this way: registering a key
 * without an administrator, letting a call come in, setting faults, ending a call of any tenant with any cause.
 *
 * @module
 */

import { TeleQuickError, type TeleQuickErrorCode } from "../base/errors.ts";
import { errorCatalogue } from "../catalogue/mod.ts";
import type { Faults, FaultTarget, SetFaults } from "../gateway/mod.ts";
import type { Platform } from "./platform.ts";
import type { OptionSpecs } from "./terminal/args.ts";
import { quotePath, UsageError } from "./usage.ts";

/** What can be asked. */
export type ControlQuestion =
  | { readonly action: "ping" }
  | { readonly action: "register"; readonly keyId: string; readonly publicKeyPem: string }
  | { readonly action: "revoke"; readonly keyId: string; readonly tenantId?: string }
  | {
    readonly action: "call-in";
    readonly trunkId: string;
    readonly callSid: string;
    readonly from?: string;
    readonly to?: string;
    /** Whether the panel's phone is the caller. */
    readonly fromPhone?: boolean;
  }
  | {
    readonly action: "faults";
    /** What they are set for. Without it they are only listed. */
    readonly at?: FaultTarget;
    /** Without them those that are set are lifted. */
    readonly faults?: Faults;
  }
  | {
    readonly action: "hangup";
    readonly callSid: string;
    readonly tenantId?: string;
    readonly cause?: number;
  };

/** The answer to a question. */
export type ControlAnswer =
  | {
    readonly tenantId: string;
    readonly sipStatus?: number;
    /** The other gateways that have not confirmed a revocation. */
    readonly unconfirmed?: readonly string[];
    /** The faults that are set now, the last 100. */
    readonly faults?: readonly SetFaults[];
  }
  | { readonly error: { readonly code: string; readonly message: string } };

/** What the file beside the credentials holds. */
export interface ControlFile {
  readonly endpoint: string;
  /** Hashes of the certificate that is shown, and of the next one, separated by commas. */
  readonly certificateHash: string;
  readonly socket: string;
  /** A secret that proves that a question comes from the gateway's owner. */
  readonly key: string;
}

/** Which gateway a command means: the one that made the credentials file, as its control lies beside that. */
export const GATEWAY_DETAILS =
  "For a gateway that telequick gateway started on this machine: it is found by the credentials file that it printed. ";

/** The option that names the tenant of a key or a call. */
export const OWNER_OPTION = {
  "tenant": {
    type: "text",
    value: "ID",
    help: "The tenant that it belongs to",
    byDefault: "the one of the credentials file",
  },
} as const satisfies OptionSpecs;

const STOPPED = "the gateway that made this file has stopped: take its exports again";

/** The path of the control file of a credentials file. */
export function controlPath(credentials: string): string {
  return `${credentials}.control`;
}

/** Asks the local gateway that made a credentials file. Throws a {@linkcode UsageError} where none did, or it has stopped. */
export async function askGateway(
  credentials: string | undefined,
  question: ControlQuestion,
  platform: Platform,
): Promise<Exclude<ControlAnswer, { readonly error: unknown }>> {
  if (credentials === undefined) {
    throw new UsageError(
      "No gateway: set TELEQUICK_CREDENTIALS, or pass --credentials PATH, as telequick gateway prints it",
    );
  }
  const file = await readControlFile(credentials, platform);
  if (file === undefined) {
    throw new UsageError(
      `No local gateway for ${quotePath(credentials)}: ${
        await platform.exists(credentials)
          ? "none that runs made this file or took it as its own (start one: telequick gateway)"
          : STOPPED
      }`,
    );
  }
  const answer = await ask(file, question, platform);
  if (answer === undefined) {
    throw new UsageError(`No local gateway for ${quotePath(credentials)}: ${STOPPED}`);
  }
  if (!("error" in answer)) return answer;
  const { code, message } = answer.error;
  if (!Object.hasOwn(errorCatalogue, code)) throw new UsageError(message);
  throw new TeleQuickError(code as TeleQuickErrorCode, message);
}

/**
 * What to do when a gateway is not there, or shows another certificate than the one that was pinned: `undefined` where no local gateway
 * has to do with these credentials, or it is the one that was meant.
 */
export async function gatewayAdvice(
  { endpoint, credentials, certificateHash = "" }: {
    readonly endpoint: string | undefined;
    readonly credentials: string | undefined;
    readonly certificateHash: string | undefined;
  },
  platform: Platform,
): Promise<string | undefined> {
  if (credentials === undefined) return undefined;
  const file = await readControlFile(credentials, platform);
  if (file === undefined) return undefined;
  if (await ask(file, { action: "ping" }, platform) === undefined) return STOPPED;
  if (endpoint !== undefined && portOf(endpoint) !== portOf(file.endpoint)) {
    return `the gateway that made this file is at ${file.endpoint} now: take its exports again`;
  }
  const [shown = ""] = file.certificateHash.split(",");
  if (certificateHash.includes(shown)) return undefined;
  const found = certificateHash === ""
    ? "pin the gateway's certificate"
    : "the gateway has another certificate now";
  return `${found}: export TELEQUICK_CERTIFICATE_HASH=${file.certificateHash}`;
}

async function readControlFile(
  credentials: string,
  platform: Platform,
): Promise<ControlFile | undefined> {
  const path = controlPath(credentials);
  if (!await platform.exists(path)) return undefined;
  try {
    const file = JSON.parse(await platform.readText(path));
    const { endpoint, certificateHash, socket, key } = file;
    const isWhole = [endpoint, certificateHash, socket, key].every((text) =>
      typeof text === "string"
    );
    return isWhole ? { endpoint, certificateHash, socket, key } : undefined;
  } catch {
    return undefined;
  }
}

async function ask(
  { socket, key }: ControlFile,
  question: ControlQuestion,
  platform: Platform,
): Promise<ControlAnswer | undefined> {
  const answer = await platform.askLocally(socket, JSON.stringify({ ...question, key }));
  return answer === undefined ? undefined : JSON.parse(answer) as ControlAnswer;
}

function portOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).port || "9090" : "";
}
