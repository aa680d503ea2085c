/**
 * A call from the telephone network.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import { InboundRule, isCallSid, isDestination } from "../wire/mod.ts";
import { readUrl } from "./fetch_policy.ts";
import { RpcRefusal } from "./refusal.ts";
import { inboundApp, incomingPlan, routingOf } from "./tenant/routing.ts";
import { randomUuid } from "../base/random.ts";
import type { Phones } from "./phones/phones.ts";
import type { Tenants } from "./tenant/tenants.ts";
import type { GatewayServices } from "./services.ts";
import { postWebhook, type PostWebhookOptions } from "./webhook.ts";

/** Options of a gateway's `simulateInboundCall`. */
export interface SimulateInboundCallOptions {
  /** The tenant that is called. */
  readonly tenantId: string;
  /** The trunk on which the call comes in. */
  readonly trunkId: string;
  /** The caller: a phone number in E.164 or a SIP URI. Default: `+15550199`. */
  readonly from?: string;
  /** The called number. Default: `+15550100`. */
  readonly to?: string;
  /** The call's id. Default: a UUID v4. */
  readonly callSid?: string;
  /**
   * Whether the person at the gateway's phone is the caller: the phone rings as well, and when it is answered both talk. The caller hangs up when
   * the phone is not answered within 30 s. Default: `false`, the caller is an echo or what `farEnd` chooses.
   */
  readonly fromPhone?: boolean;
}

/** A call from the telephone network. */
export interface InboundCall {
  /** The call's id; empty when the trunk refused it. */
  readonly callSid: string;
  /** With `fromPhone`, the id of the call on the phone's own tenant: the program that is the phone answers it. */
  readonly phoneCallSid?: string;
  /** The SIP status that the caller got: 180 when it rings, 200 when it was answered at once, 4xx or 6xx when it was refused. */
  readonly sipStatus: number;
  /** The caller hangs up. */
  hangUp(): void;
}

// RFC 3261 section 21.4: not found; busy here, when the trunk has no channel left.
const NOT_FOUND = 404;
const BUSY_HERE = 486;
const RINGING = 180;
const OK = 200;
// ITU-T Q.850.
const NORMAL_CLEARING = 16;

/** Makes a call come in, as its trunk's rule wants it. Throws `ERR_VALUE_INVALID` for options that no caller could have. */
export function callIn(
  options: SimulateInboundCallOptions,
  gateway: GatewayServices & { readonly tenants: Tenants },
  phones: Phones,
  webhook: Omit<PostWebhookOptions, "tools">,
): InboundCall {
  const { tenantId, trunkId, fromPhone = false, to = "+15550100" } = options;
  const [number = "+15550199"] = fromPhone ? phones.numbers : [];
  const { from = number } = options;
  if (!isDestination(from) || !isDestination(to)) {
    throw unfit("from or to is neither a phone number in E.164 nor a SIP URI");
  }
  if (options.callSid !== undefined && !isCallSid(options.callSid)) {
    throw unfit("callSid is malformed");
  }
  const tenant = gateway.tenants.byOwner(tenantId);
  const trunk = tenant.trunks.get(trunkId);
  if (trunk === undefined) return refusedWith(NOT_FOUND);
  const { rule, webhookUrl } = routingOf(tenant, trunk);
  if (rule === InboundRule.REJECT) return refusedWith(trunk.rejectSipCode);
  const callSid = options.callSid ?? randomUuid(tenant.random);
  if (tenant.call(callSid) !== undefined) throw unfit("callSid is in use");
  if (fromPhone && phones.isBusy) throw unfit("the phone is in use");
  if (fromPhone && !phones.isOn) {
    throw unfit(
      `the phone rings nowhere (connect a program as tenant ${phones.tenantId}, or turn the phone on)`,
    );
  }
  const person = fromPhone ? phones.callerOf(to) : undefined;
  const received = tenant.receive({
    ...{ callSid, tenantId, trunkId, to, callFrom: from },
    direction: "inbound",
    clientId: "",
    defaultApp: inboundApp(rule),
    defaultAppArgs: "",
    maxDurationMs: 0,
    incoming: incomingPlan(rule),
    makePhone: person?.makePhone,
  });
  if (received instanceof RpcRefusal) return refusedWith(BUSY_HERE);
  const url = readUrl(webhookUrl);
  if (rule === InboundRule.NOTIFY_AND_HANGUP && url !== undefined) {
    const body = {
      event: "voice.call.incoming",
      ...{ call_sid: callSid, call_from: from, trunk_id: trunkId, tenant_id: tenantId },
      timestamp_ms: received.startMs,
    };
    void postWebhook(url, body, { ...webhook, tools: gateway });
  }
  const sipStatus = rule === InboundRule.NOTIFY_AND_HANGUP ? RINGING : OK;
  return {
    callSid,
    sipStatus,
    ...(person !== undefined && { phoneCallSid: person.ring() }),
    hangUp: () => tenant.call(callSid)?.hangUp(NORMAL_CLEARING),
  };
}

function refusedWith(sipStatus: number): InboundCall {
  return { callSid: "", sipStatus, hangUp: () => {} };
}

function unfit(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot simulate inbound call: ${found}`);
}
