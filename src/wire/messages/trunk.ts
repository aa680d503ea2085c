/**
 * Trunks in the admin API, as far as they are published.
 *
 * @module
 */

import {
  bool,
  type FieldCodec,
  i32,
  secret,
  text,
  u16,
  u32,
  vector,
  withDefault,
} from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import { Empty } from "./call.ts";
import type { InboundRule } from "./routing.ts";

const texts: FieldCodec<readonly string[]> = /* @__PURE__ */ vector(text);
const channelLimit: FieldCodec<number> = /* @__PURE__ */ withDefault(u32, 50);
const sipPort: FieldCodec<number> = /* @__PURE__ */ withDefault(u16, 5060);
const registrationSeconds: FieldCodec<number> = /* @__PURE__ */ withDefault(u32, 3600);
const codecs: FieldCodec<readonly string[]> = /* @__PURE__ */ withDefault(texts, [
  "PCMU",
  "PCMA",
  "OPUS",
]);
const firstRtpPort: FieldCodec<number> = /* @__PURE__ */ withDefault(u16, 16384);
const lastRtpPort: FieldCodec<number> = /* @__PURE__ */ withDefault(u16, 32768);
const trueByDefault: FieldCodec<boolean> = /* @__PURE__ */ withDefault(bool, true);
const rejectCode: FieldCodec<number> = /* @__PURE__ */ withDefault(u16, 603);

/** Fields of {@linkcode TrunkRecord}. The order is published up to `inboundAudioUrl`; fields that newer gateways append are skipped. */
export const trunkRecord = {
  /** The trunk's id. Default: `""`. */
  trunkId: text,
  /** How many calls it carries at once (uint32). Default: 50. */
  channelLimit: channelLimit,
  /** Default: `""`. */
  internalSipIp: text,
  /** Default: `""`. */
  externalSipIp: text,
  /** Default: `""`. */
  internalRtpIp: text,
  /** Default: `""`. */
  externalRtpIp: text,
  /** Default: `""`. */
  gatewayIp: text,
  /** Default: `""`. */
  sbcIp: text,
  /** Port of the PBX (uint16). Default: 5060. */
  sourcePbxPort: sipPort,
  /** Port of the session border controller (uint16). Default: 5060. */
  destinationSbcPort: sipPort,
  /** Default: `""`. */
  displayName: text,
  /** SIP domain. Default: `""`. */
  domain: text,
  /** SIP proxy. Default: `""`. */
  proxy: text,
  /** Whether the gateway registers with it. Default: `false`. */
  requireRegistration: bool,
  /** Default: `""`. */
  sipUsername: text,
  /** A secret. Default: `""`. */
  sipPassword: secret,
  /** How long a registration lasts, in seconds (uint32). Default: 3600. */
  registerExpiresSec: registrationSeconds,
  /** Codecs, the preferred one first. Default: `PCMU`, `PCMA`, `OPUS`. */
  codecPreferences: codecs,
  /** First RTP port (uint16). Default: 16384. */
  rtpStartPort: firstRtpPort,
  /** Last RTP port (uint16). Default: 32768. */
  rtpEndPort: lastRtpPort,
  /** Networks that media may come from. Default: none. */
  mediaIpCidrs: texts,
  /** Whether incoming calls are refused. Default: `true`. */
  rejectIncomingCalls: trueByDefault,
  /** The SIP status of that refusal (uint16). Default: 603. */
  rejectSipCode: rejectCode,
  /** What is played before it. Default: `""`. */
  rejectAudioFile: text,
  /** Default: `false`. */
  ignoreEarlyMedia: bool,
  /** Whether a call that is put on hold is ended. Default: `false`. */
  terminateOnHold: bool,
  /** An `InboundRule` (int32). Default: 0, reject. */
  inboundRule: i32 as FieldCodec<InboundRule>,
  /** The audio of `PLAY_AND_HANGUP`. Default: `""`. */
  inboundAudioUrl: text,
} as const;

/** A trunk's record. */
export interface TrunkRecord extends ValueOf<typeof trunkRecord> {}

/** Fields of {@linkcode AddTrunkRequest}. */
export const addTrunkRequest = {
  /** A token of an `admin` key: a secret. Default: `""`. */
  adminToken: secret,
  ...trunkRecord,
} as const;

/** Adds a trunk or replaces its whole record (`UpdateTrunk`). */
export interface AddTrunkRequest extends ValueOf<typeof addTrunkRequest> {}

/** Adds a trunk or replaces its whole record (`UpdateTrunk`). */
export const AddTrunkRequest: Message<AddTrunkRequest> = /* @__PURE__ */ message(
  "AddTrunkRequest",
  addTrunkRequest,
);

/** Fields of {@linkcode RemoveTrunkRequest}. */
export const removeTrunkRequest = {
  /** A token of an `admin` key: a secret. Default: `""`. */
  adminToken: secret,
  /** The trunk. Default: `""`. */
  trunkId: text,
} as const;

/** Names a trunk. */
export interface RemoveTrunkRequest extends ValueOf<typeof removeTrunkRequest> {}

/** Removes a trunk. The fields are not published: these are presumed. */
export const RemoveTrunkRequest: Message<RemoveTrunkRequest> = /* @__PURE__ */ message(
  "RemoveTrunkRequest",
  removeTrunkRequest,
);

/** Fields of {@linkcode GetTrunkRequest}. */
export const getTrunkRequest = {
  /** A token of an `admin` key: a secret. Default: `""`. */
  adminToken: secret,
  /** The trunk. Default: `""`. */
  trunkId: text,
} as const;

/** Reads the record of a trunk. The fields are not published: these are presumed. */
export interface GetTrunkRequest extends ValueOf<typeof getTrunkRequest> {}

/** Reads the record of a trunk. The fields are not published: these are presumed. */
export const GetTrunkRequest: Message<GetTrunkRequest> = /* @__PURE__ */ message(
  "GetTrunkRequest",
  getTrunkRequest,
);

/** A trunk's record. The order is not published: presumed to be that of `AddTrunkRequest` without the token. */
export type GetTrunkResponse = TrunkRecord;

/** A trunk's record. The order is not published: presumed to be that of `AddTrunkRequest` without the token. */
export const GetTrunkResponse: Message<GetTrunkResponse> = /* @__PURE__ */ message(
  "GetTrunkResponse",
  trunkRecord,
);

/** Adds a trunk. */
export const AddTrunk = {
  name: "AddTrunk",
  id: 319319550,
  request: AddTrunkRequest,
  reply: Empty,
} as const;

/** Replaces a trunk's record. */
export const UpdateTrunk = {
  name: "UpdateTrunk",
  id: 3061189136,
  request: AddTrunkRequest,
  reply: Empty,
} as const;

/** Removes a trunk. */
export const RemoveTrunk = {
  name: "RemoveTrunk",
  id: 1887232127,
  request: RemoveTrunkRequest,
  reply: Empty,
} as const;

/** Reads a trunk's record. */
export const GetTrunk = {
  name: "GetTrunk",
  id: 1892052310,
  request: GetTrunkRequest,
  reply: GetTrunkResponse,
} as const;
