/**
 * What the page can do. The types of what it sent are checked here, their values by the gateway.
 *
 * @module
 */

import { kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import type { Gateway } from "../gateway/mod.ts";

/** What a `POST` carries. */
type Body = Readonly<Record<string, unknown>>;

/** Does what a `POST` asks for; `origin` is the page's. */
export type Action = (body: Body, origin: string) => Promise<unknown>;

const LONGEST_TEXT = 512;

/** The actions, by their path. */
export function createActions(gateway: Gateway): Readonly<Record<string, Action>> {
  return {
    // Pinned to the page's origin; it can answer calls of the phone's tenant, and nothing else.
    "/api/token": async (_, origin) => await gateway.phones.token({ origin }),
    // The person at the page is the caller: the page answers its own side of it.
    "/api/inbound": async (body) => {
      const [tenantId, trunkId] = [textOf(body, "tenantId"), textOf(body, "trunkId")];
      const { callSid, sipStatus, phoneCallSid = "" } = await gateway.simulateInboundCall({
        ...{ tenantId, trunkId, fromPhone: true },
      });
      return { callSid, sipStatus, phoneCallSid };
    },
    "/api/revoke": async (body) => {
      const [tenantId, privateKeyId] = [textOf(body, "tenantId"), textOf(body, "keyId")];
      const { unconfirmed } = await gateway.revokeServiceAccount({ tenantId, privateKeyId });
      return { unconfirmed };
    },
    "/api/faults": async (body) => {
      const at = objectOf(body, "at") ?? {};
      await Promise.resolve(gateway.setFaults(objectOf(body, "faults"), at));
    },
    "/api/hangup": async (body) => {
      const { cause } = body;
      const [callSid, tenantId] = [textOf(body, "callSid"), textOf(body, "tenantId")];
      await Promise.resolve(gateway.endCall(callSid, cause as number | undefined, tenantId));
    },
  };
}

function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value.length <= LONGEST_TEXT) return value;
  throw unfit(name, value, `a string of at most ${LONGEST_TEXT} characters`);
}

function objectOf(body: Body, name: string): Body | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  throw unfit(name, value, "an object");
}

function unfit(name: string, value: unknown, expected: string): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot do that: ${name} is ${kindOf(value)}, expected ${expected}`,
  );
}
