/**
 * What a tenant remembers and knows: calls, routing, campaigns.
 *
 * @module
 */

import type { Owner } from "../auth/access.ts";
import type { Call } from "../call/call.ts";
import { RpcRefusal } from "../refusal.ts";

/** What is remembered of a call, also after its end: enough to recognise a repeated dial. */
export interface Dialled {
  readonly callSid: string;
  /** When it was dialled, in Unix milliseconds. */
  readonly startMs: number;
}

/** A record, with what a repeated dial is compared with. */
export interface Memory extends Dialled {
  readonly to: string;
  readonly trunkId: string;
  readonly owner: Owner | undefined;
  readonly dialledAt: number;
}

/** What a trunk does with a call that comes in. */
export interface InboundRouting {
  /** An `InboundRule`. */
  readonly rule: number;
  /** Where a waiting call is reported. */
  readonly webhookUrl: string;
}

/** A campaign, as a tenant knows it. */
export interface TenantCampaign {
  readonly campaignId: string;
  /** Whose it is. */
  readonly owner: Owner;
  /** Rows that are not dialled yet. */
  readonly pending: number;
  /** Its live calls. */
  readonly live: ReadonlySet<Call>;
  /** Drops what is pending and returns how much that was. */
  abort(): number;
  /** Ends, and sends no event. */
  drop(): void;
}

/** The far end, and not a limit, refuses a call: waiting does not help. */
export class FarEndRefusal extends RpcRefusal {}
