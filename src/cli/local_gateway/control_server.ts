/**
 * The local gateway's side of `gateway_control.ts`: answers its owner's commands.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import type { Gateway } from "../../gateway/mod.ts";
import {
  type ControlAnswer,
  type ControlFile,
  controlPath,
  type ControlQuestion,
} from "../gateway_control.ts";
import type { Platform } from "../platform.ts";

/** What the commands of a local gateway reach. */
export interface ControlServerOptions {
  readonly gateway: Pick<
    Gateway,
    | "endCall"
    | "inspect"
    | "publishServiceAccount"
    | "revokeServiceAccount"
    | "setFaults"
    | "simulateInboundCall"
  >;
  readonly tenantId: string;
  /** The credentials file beside which the control file lies. */
  readonly credentials: string;
  /** A folder that only its owner can enter, for the socket. */
  readonly folder: string;
  readonly endpoint: string;
  readonly platform: Platform;
}

/** The control of a local gateway. */
export interface ControlServer {
  /** Writes the control file, also when a hash has changed. */
  announce(certificateHash: string): Promise<void>;
  /** Answers no more, and removes the file unless another gateway has replaced it. */
  close(): Promise<void>;
}

// An answer is one line of at most 64 KiB.
const MOST_LISTED = 100;

/** Answers commands at a socket. Rejects where the system has no such socket at this path. */
export async function openControl(options: ControlServerOptions): Promise<ControlServer> {
  const { credentials, endpoint, folder, platform } = options;
  const key = `${crypto.randomUUID()}${crypto.randomUUID()}`;
  const server = await platform.listenLocally(folder, async (question) => {
    return JSON.stringify(await answerTo(question, key, options));
  });
  const path = controlPath(credentials);
  let written = "";
  return {
    async announce(certificateHash) {
      const file: ControlFile = { endpoint, certificateHash, socket: server.path, key };
      written = `${JSON.stringify(file)}\n`;
      await platform.writeText(path, written, { mode: 0o600, replace: true });
    },
    async close() {
      await server.close();
      const isOwn = await platform.readText(path).then((text) => text === written, () => false);
      if (isOwn) await platform.remove(path);
    },
  };
}

async function answerTo(
  text: string,
  key: string,
  options: ControlServerOptions,
): Promise<ControlAnswer> {
  let question: ControlQuestion & { readonly key?: unknown };
  try {
    question = JSON.parse(text);
  } catch {
    return failure("ERR_VALUE_INVALID", "Cannot read the question: it is not JSON");
  }
  if (question?.key !== key) {
    return failure("ERR_UNAUTHORIZED", "Cannot answer: the key is not this gateway's");
  }
  try {
    return await act(question, options);
  } catch (error) {
    if (!(error instanceof TeleQuickError)) return failure("UNEXPECTED", String(error));
    return failure(error.code, error.message);
  }
}

async function act(
  question: ControlQuestion,
  { gateway, tenantId }: ControlServerOptions,
): Promise<ControlAnswer> {
  switch (question.action) {
    case "ping":
      return { tenantId };
    case "register": {
      const { keyId: privateKeyId, publicKeyPem } = question;
      await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
      return { tenantId };
    }
    case "revoke": {
      const { keyId: privateKeyId, tenantId: owner = tenantId } = question;
      const { unconfirmed } = await gateway.revokeServiceAccount({
        ...{ tenantId: owner, privateKeyId },
      });
      return { tenantId: owner, unconfirmed };
    }
    case "call-in": {
      const { trunkId, callSid, from, to, fromPhone = false } = question;
      const { sipStatus } = await gateway.simulateInboundCall({
        ...{ tenantId, trunkId, callSid, fromPhone },
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
      });
      return { tenantId, sipStatus };
    }
    case "faults": {
      const { at, faults } = question;
      if (at !== undefined) gateway.setFaults(faults, at);
      return { tenantId, faults: gateway.inspect().faults.slice(-MOST_LISTED) };
    }
    case "hangup": {
      const { callSid, tenantId: owner = tenantId, cause } = question;
      gateway.endCall(callSid, cause, owner);
      return { tenantId: owner };
    }
    default:
      return failure("ERR_VALUE_INVALID", "Cannot answer: the gateway is of another version");
  }
}

function failure(code: string, message: string): ControlAnswer {
  return { error: { code, message } };
}
