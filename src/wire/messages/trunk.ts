/**
 * Trunks, by the admin API (protocol.md section 8), as far as they are published.
 *
 * @module
 */

import { bool, i32, secret, text, u16, u32, vector, withDefault } from "../field.ts";
import { type Fields, type Message, message } from "../message.ts";

/** A trunk's record. The protocol publishes the order up to `inboundAudioUrl`; what newer gateways append is skipped. */
export interface TrunkRecord {
  /** The trunk's id. Default: `""`. */
  readonly trunkId: string;
  /** How many calls it carries at once (uint32). Default: 50. */
  readonly channelLimit: number;
  /** Default: `""`. */
  readonly internalSipIp: string;
  /** Default: `""`. */
  readonly externalSipIp: string;
  /** Default: `""`. */
  readonly internalRtpIp: string;
  /** Default: `""`. */
  readonly externalRtpIp: string;
  /** Default: `""`. */
  readonly gatewayIp: string;
  /** Default: `""`. */
  readonly sbcIp: string;
  /** Port of the PBX (uint16). Default: 5060. */
  readonly sourcePbxPort: number;
  /** Port of the session border controller (uint16). Default: 5060. */
  readonly destinationSbcPort: number;
  /** Default: `""`. */
  readonly displayName: string;
  /** SIP domain. Default: `""`. */
  readonly domain: string;
  /** SIP proxy. Default: `""`. */
  readonly proxy: string;
  /** Whether the gateway registers with it. Default: `false`. */
  readonly requireRegistration: boolean;
  /** Default: `""`. */
  readonly sipUsername: string;
  /** A secret. Default: `""`. */
  readonly sipPassword: string;
  /** How long a registration lasts, in seconds (uint32). Default: 3600. */
  readonly registerExpiresSec: number;
  /** Codecs, the preferred one first. Default: `PCMU`, `PCMA`, `OPUS`. */
  readonly codecPreferences: readonly string[];
  /** First RTP port (uint16). Default: 16384. */
  readonly rtpStartPort: number;
  /** Last RTP port (uint16). Default: 32768. */
  readonly rtpEndPort: number;
  /** Networks that media may come from. Default: none. */
  readonly mediaIpCidrs: readonly string[];
  /** Whether incoming calls are refused. Default: `true`. */
  readonly rejectIncomingCalls: boolean;
  /** The SIP status of that refusal (uint16). Default: 603. */
  readonly rejectSipCode: number;
  /** What is played before it. Default: `""`. */
  readonly rejectAudioFile: string;
  /** Default: `false`. */
  readonly ignoreEarlyMedia: boolean;
  /** Whether a call that is put on hold is ended. Default: `false`. */
  readonly terminateOnHold: boolean;
  /** An `InboundRule` (int32). Default: 0, reject. */
  readonly inboundRule: number;
  /** The audio of `PLAY_AND_HANGUP`. Default: `""`. */
  readonly inboundAudioUrl: string;
}

const trunkFields = (): Fields<TrunkRecord> => ({
  trunkId: text,
  channelLimit: withDefault(u32, 50),
  internalSipIp: text,
  externalSipIp: text,
  internalRtpIp: text,
  externalRtpIp: text,
  gatewayIp: text,
  sbcIp: text,
  sourcePbxPort: withDefault(u16, 5060),
  destinationSbcPort: withDefault(u16, 5060),
  displayName: text,
  domain: text,
  proxy: text,
  requireRegistration: bool,
  sipUsername: text,
  sipPassword: secret,
  registerExpiresSec: withDefault(u32, 3600),
  codecPreferences: withDefault(vector(text), ["PCMU", "PCMA", "OPUS"]),
  rtpStartPort: withDefault(u16, 16384),
  rtpEndPort: withDefault(u16, 32768),
  mediaIpCidrs: vector(text),
  rejectIncomingCalls: withDefault(bool, true),
  rejectSipCode: withDefault(u16, 603),
  rejectAudioFile: text,
  ignoreEarlyMedia: bool,
  terminateOnHold: bool,
  inboundRule: i32,
  inboundAudioUrl: text,
});

/** Adds a trunk, or replaces its whole record (`UpdateTrunk`). */
export interface AddTrunkRequest extends TrunkRecord {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
}

/** Adds a trunk, or replaces its whole record (`UpdateTrunk`). */
export const AddTrunkRequest: Message<AddTrunkRequest> = /* @__PURE__ */ message<AddTrunkRequest>(
  "AddTrunkRequest",
  () => ({ adminToken: secret, ...trunkFields() }),
);

/** Names a trunk. */
export interface RemoveTrunkRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The trunk. Default: `""`. */
  readonly trunkId: string;
}

/** Removes a trunk. The protocol does not publish the fields: these are presumed. */
export const RemoveTrunkRequest: Message<RemoveTrunkRequest> = /* @__PURE__ */ message<
  RemoveTrunkRequest
>("RemoveTrunkRequest", () => ({
  adminToken: secret,
  trunkId: text,
}));

/** Asks for a trunk's record. The protocol does not publish the fields: these are presumed. */
export interface GetTrunkRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The trunk. Default: `""`. */
  readonly trunkId: string;
}

/** Asks for a trunk's record. The protocol does not publish the fields: these are presumed. */
export const GetTrunkRequest: Message<GetTrunkRequest> = /* @__PURE__ */ message<GetTrunkRequest>(
  "GetTrunkRequest",
  () => ({
    adminToken: secret,
    trunkId: text,
  }),
);

/** A trunk's record. The protocol does not publish the order: presumed to be that of `AddTrunkRequest` without the token. */
export type GetTrunkResponse = TrunkRecord;

/** A trunk's record. The protocol does not publish the order: presumed to be that of `AddTrunkRequest` without the token. */
export const GetTrunkResponse: Message<GetTrunkResponse> = /* @__PURE__ */ message(
  "GetTrunkResponse",
  trunkFields,
);
