/**
 * Bulk dialling.
 *
 * @module
 */

import { bool, type FieldCodec, i32, text } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import type { DialplanAction } from "./dialplan.ts";

/** Fields of {@linkcode BulkRequest}. */
export const bulkRequest = {
  /** URL of the CSV file that the gateway fetches. Default: `""`. */
  csvUrl: text,
  /** Trunk of the rows. Default: `""`. */
  templateTrunkId: text,
  /** Destination of the rows that do not have one. Default: `""`. */
  templateTo: text,
  /** Caller id of the rows. Default: `""`, the trunk's own. */
  templateCallFrom: text,
  /** WebSocket URL of an AI bridge. Default: `""`, no bridge. */
  templateAiWebsocketUrl: text,
  /** QUIC URL of an AI bridge. Default: `""`, no bridge. */
  templateAiQuicUrl: text,
  /** The tenant, for information. Default: `""`. */
  templateTenantId: text,
  /** Longest duration of each call in milliseconds (int32). Default: 0, no limit. */
  templateMaxDurationMs: i32,
  /** What runs on answer, a `DialplanAction` of 0 to 6 (int32). Default: 0. */
  templateDefaultApp: i32 as FieldCodec<DialplanAction>,
  /** Its arguments. Default: `""`. */
  templateDefaultAppArgs: text,
  /** Pace of dialling, in calls per second (int32). Default: 0. */
  callsPerSecond: i32,
  /** Largest number of calls at a time (int32). Default: 0. */
  maxConcurrentCalls: i32,
  /** The id that the client gives the campaign; `AbortBulk` takes it. Default: `""`. */
  campaignId: text,
  /** Whether the gateway stops playback when the caller speaks (optional tail). Default: `false`. */
  autoBargeIn: bool,
  /** How long the caller must speak before that, in milliseconds (int32; optional tail). Default: 0. */
  bargeInPatienceMs: i32,
  /** The SDK instance that gets the calls' events (optional tail). Default: `""`. */
  clientId: text,
} as const;

/** Dials a list that the gateway fetches. The template fills the columns that a row lacks. */
export interface BulkRequest extends ValueOf<typeof bulkRequest> {}

/** Dials a list that the gateway fetches. The last three fields are written only when one of them is set. */
export const BulkRequest: Message<BulkRequest> = /* @__PURE__ */ message(
  "BulkRequest",
  bulkRequest,
  { optionalFrom: "autoBargeIn" },
);

/** Fields of {@linkcode BulkResponse}. */
export const bulkResponse = {
  /** Coarse state. Default: `""`. */
  status: text,
  /** How many rows were accepted (int32). Default: 0. */
  loadedNumbers: i32,
} as const;

/** How many rows were accepted, or that the campaign was aborted. */
export interface BulkResponse extends ValueOf<typeof bulkResponse> {}

/** How many rows were accepted, or that the campaign was aborted. */
export const BulkResponse: Message<BulkResponse> = /* @__PURE__ */ message(
  "BulkResponse",
  bulkResponse,
);

/** Fields of {@linkcode AbortBulkRequest}. */
export const abortBulkRequest = {
  /** The campaign. Default: `""`. */
  campaignId: text,
} as const;

/** Drops the rows of a campaign that are not dialled yet. Live calls continue. */
export interface AbortBulkRequest extends ValueOf<typeof abortBulkRequest> {}

/** Drops the rows of a campaign that are not dialled yet. Live calls continue. */
export const AbortBulkRequest: Message<AbortBulkRequest> = /* @__PURE__ */ message(
  "AbortBulkRequest",
  abortBulkRequest,
);

/** Dials a list. */
export const OriginateBulk = {
  name: "OriginateBulk",
  id: 721069100,
  request: BulkRequest,
  reply: BulkResponse,
} as const;

/** Drops the rows of a campaign that are not dialled yet. */
export const AbortBulk = {
  name: "AbortBulk",
  id: 3861915064,
  request: AbortBulkRequest,
  reply: BulkResponse,
} as const;
