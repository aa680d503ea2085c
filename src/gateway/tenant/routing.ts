/**
 * Where an incoming call goes: its trunk's rule, what the rule makes of the call, and the calls that wait to be answered.
 *
 * @module
 */

import { DialplanAction, InboundRule, type TrunkRecord } from "../../wire/mod.ts";
import type { Call, IncomingPlan } from "../call/call.ts";
import type { InboundRouting } from "./records.ts";
import { isWaiting, type Tenant } from "./tenant.ts";

// A caller gives up after this long without an answer; one that hears an announcement stays this long.
const PATIENCE_MS = 30_000;
const ANNOUNCEMENT_MS = 3_000;

/** Calls of a trunk that are not answered yet, the oldest first. */
export function waitingCalls(tenant: Tenant, trunkId: string): Call[] {
  return [...tenant.calls()].filter((call) => isWaiting(call) && call.options.trunkId === trunkId);
}

/** What a trunk does with a call: what `SetInboundRouting` said, else its own record. */
export function routingOf(tenant: Tenant, trunk: TrunkRecord): InboundRouting {
  const { rejectIncomingCalls, inboundRule } = trunk;
  const rule = rejectIncomingCalls ? InboundRule.REJECT : inboundRule;
  return tenant.trunks.routing.get(trunk.trunkId) ?? { rule, webhookUrl: "" };
}

/** What an incoming call does by itself, as its trunk's rule has it. */
export function incomingPlan(rule: number): IncomingPlan {
  switch (rule) {
    case InboundRule.PLAY_AND_HANGUP:
      return { answerMs: 0, talkMs: ANNOUNCEMENT_MS };
    case InboundRule.HANDLE_AI:
      return { answerMs: 0 };
    default:
      return { patienceMs: PATIENCE_MS };
  }
}

/** What is done with a call by its trunk's rule when it is answered. */
export function inboundApp(rule: number): number {
  return rule === InboundRule.PLAY_AND_HANGUP ? DialplanAction.PLAYBACK : DialplanAction.ANSWER;
}
