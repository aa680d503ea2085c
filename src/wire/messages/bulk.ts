/**
 * Bulk dialling (protocol.md section 5.3).
 *
 * @module
 */

import { bool, i32, optional, text } from "../field.ts";
import { type Message, message } from "../message.ts";

/** Dials a list that the gateway fetches; the template fills what a row lacks. */
export interface BulkRequest {
  /** URL of the CSV file that the gateway fetches. Default: `""`. */
  readonly csvUrl: string;
  /** Trunk of the rows. Default: `""`. */
  readonly templateTrunkId: string;
  /** Destination of the rows that name none. Default: `""`. */
  readonly templateTo: string;
  /** Caller id of the rows. Default: `""`, the trunk's own. */
  readonly templateCallFrom: string;
  /** URL of the AI bridge by WebSocket. Default: `""`, none. */
  readonly templateAiWebsocketUrl: string;
  /** URL of the AI bridge by QUIC. Default: `""`, none. */
  readonly templateAiQuicUrl: string;
  /** The tenant, for information. Default: `""`. */
  readonly templateTenantId: string;
  /** Longest duration of each call in milliseconds (int32). Default: 0, no limit. */
  readonly templateMaxDurationMs: number;
  /** What runs on answer, a `DialplanAction` of 0 to 6 (int32). Default: 0. */
  readonly templateDefaultApp: number;
  /** Its arguments. Default: `""`. */
  readonly templateDefaultAppArgs: string;
  /** Pace of dialling, in calls per second (int32). Default: 0. */
  readonly callsPerSecond: number;
  /** How many calls live at once at the most (int32). Default: 0. */
  readonly maxConcurrentCalls: number;
  /** The client's name for the campaign, which `AbortBulk` takes. Default: `""`. */
  readonly campaignId: string;
  /** Whether the gateway stops playback when the caller speaks (optional tail). Default: `false`. */
  readonly autoBargeIn: boolean;
  /** How long the caller must speak before that, in milliseconds (int32; optional tail). Default: 0. */
  readonly bargeInPatienceMs: number;
  /** The SDK instance that gets the calls' events (optional tail). Default: `""`. */
  readonly clientId: string;
}

/** Dials a list that the gateway fetches. The last three fields are written only when one of them is set. */
export const BulkRequest: Message<BulkRequest> = /* @__PURE__ */ message<BulkRequest>(
  "BulkRequest",
  () => ({
    csvUrl: text,
    templateTrunkId: text,
    templateTo: text,
    templateCallFrom: text,
    templateAiWebsocketUrl: text,
    templateAiQuicUrl: text,
    templateTenantId: text,
    templateMaxDurationMs: i32,
    templateDefaultApp: i32,
    templateDefaultAppArgs: text,
    callsPerSecond: i32,
    maxConcurrentCalls: i32,
    campaignId: text,
    autoBargeIn: optional(bool),
    bargeInPatienceMs: optional(i32),
    clientId: optional(text),
  }),
);

/** How much of the list was taken, or that it was aborted. */
export interface BulkResponse {
  /** Coarse state. Default: `""`. */
  readonly status: string;
  /** How many rows were accepted (int32). Default: 0. */
  readonly loadedNumbers: number;
}

/** How much of the list was taken, or that it was aborted. */
export const BulkResponse: Message<BulkResponse> = /* @__PURE__ */ message<BulkResponse>(
  "BulkResponse",
  () => ({
    status: text,
    loadedNumbers: i32,
  }),
);

/** Drops the rows of a campaign that are not dialled yet; live calls go on. */
export interface AbortBulkRequest {
  /** The campaign. Default: `""`. */
  readonly campaignId: string;
}

/** Drops the rows of a campaign that are not dialled yet; live calls go on. */
export const AbortBulkRequest: Message<AbortBulkRequest> = /* @__PURE__ */ message<
  AbortBulkRequest
>("AbortBulkRequest", () => ({ campaignId: text }));
