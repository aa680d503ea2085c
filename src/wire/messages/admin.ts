/**
 * The admin API (protocol.md section 8), as far as it is published. The agent DAG methods are left out: their fields are not.
 *
 * @module
 */

import type { FieldCodec } from "../field.ts";
import { type Message, message } from "../message.ts";

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

function trunkFields(io: FieldCodec, value: Partial<TrunkRecord>): TrunkRecord {
  return {
    trunkId: io.text(value.trunkId),
    channelLimit: io.u32(value.channelLimit, 50),
    internalSipIp: io.text(value.internalSipIp),
    externalSipIp: io.text(value.externalSipIp),
    internalRtpIp: io.text(value.internalRtpIp),
    externalRtpIp: io.text(value.externalRtpIp),
    gatewayIp: io.text(value.gatewayIp),
    sbcIp: io.text(value.sbcIp),
    sourcePbxPort: io.u16(value.sourcePbxPort, 5060),
    destinationSbcPort: io.u16(value.destinationSbcPort, 5060),
    displayName: io.text(value.displayName),
    domain: io.text(value.domain),
    proxy: io.text(value.proxy),
    requireRegistration: io.bool(value.requireRegistration),
    sipUsername: io.text(value.sipUsername),
    sipPassword: io.secret(value.sipPassword),
    registerExpiresSec: io.u32(value.registerExpiresSec, 3600),
    codecPreferences: io.texts(value.codecPreferences, ["PCMU", "PCMA", "OPUS"]),
    rtpStartPort: io.u16(value.rtpStartPort, 16384),
    rtpEndPort: io.u16(value.rtpEndPort, 32768),
    mediaIpCidrs: io.texts(value.mediaIpCidrs),
    rejectIncomingCalls: io.bool(value.rejectIncomingCalls, true),
    rejectSipCode: io.u16(value.rejectSipCode, 603),
    rejectAudioFile: io.text(value.rejectAudioFile),
    ignoreEarlyMedia: io.bool(value.ignoreEarlyMedia),
    terminateOnHold: io.bool(value.terminateOnHold),
    inboundRule: io.i32(value.inboundRule),
    inboundAudioUrl: io.text(value.inboundAudioUrl),
  };
}

/** Adds a trunk, or replaces its whole record (`UpdateTrunk`). */
export interface AddTrunkRequest extends TrunkRecord {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
}

/** Adds a trunk, or replaces its whole record (`UpdateTrunk`). */
export const AddTrunkRequest: Message<AddTrunkRequest> = /* @__PURE__ */ message<AddTrunkRequest>(
  "AddTrunkRequest",
  (io, value) => ({ adminToken: io.secret(value.adminToken), ...trunkFields(io, value) }),
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
>("RemoveTrunkRequest", (io, value) => ({
  adminToken: io.secret(value.adminToken),
  trunkId: io.text(value.trunkId),
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
  (io, value) => ({
    adminToken: io.secret(value.adminToken),
    trunkId: io.text(value.trunkId),
  }),
);

/** A trunk's record. The protocol does not publish the order: presumed to be that of `AddTrunkRequest` without the token. */
export type GetTrunkResponse = TrunkRecord;

/** A trunk's record. The protocol does not publish the order: presumed to be that of `AddTrunkRequest` without the token. */
export const GetTrunkResponse: Message<GetTrunkResponse> = /* @__PURE__ */ message(
  "GetTrunkResponse",
  trunkFields,
);

/** Loads the gateway's certificate anew; existing connections stay. */
export interface ReloadCertificatesRequest {
  /** Absolute path on the gateway's host. Default: `""`. */
  readonly certPath: string;
  /** Absolute path on the gateway's host. Default: `""`. */
  readonly keyPath: string;
}

/** Loads the gateway's certificate anew; existing connections stay. */
export const ReloadCertificatesRequest: Message<ReloadCertificatesRequest> =
  /* @__PURE__ */ message<ReloadCertificatesRequest>("ReloadCertificatesRequest", (io, value) => ({
    certPath: io.text(value.certPath),
    keyPath: io.text(value.keyPath),
  }));

/** Whether the certificate was loaded; if not, the old one stays. */
export interface ReloadCertificatesResponse {
  /** `ok` or `error`. Default: `""`. */
  readonly status: string;
  /** Why it was not. Default: `""`, it was. */
  readonly errorMessage: string;
}

/** Whether the certificate was loaded; if not, the old one stays. */
export const ReloadCertificatesResponse: Message<ReloadCertificatesResponse> =
  /* @__PURE__ */ message<ReloadCertificatesResponse>(
    "ReloadCertificatesResponse",
    (io, value) => ({
      status: io.text(value.status),
      errorMessage: io.text(value.errorMessage),
    }),
  );

/** Asks for a browser's token (section 1.3). */
export interface SessionAuthRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The tenant that the browser's token is for. Default: `""`. */
  readonly tenantId: string;
  /** The end user, free-form. Default: `""`. */
  readonly subject: string;
  /** How long it lives, in seconds; the gateway caps it at 300 (int32). Default: 0. */
  readonly ttlSeconds: number;
  /** What it allows, separated by spaces: `call.dial call.barge`. Default: `""`. */
  readonly scope: string;
}

/** Asks for a browser's token (section 1.3). */
export const SessionAuthRequest: Message<SessionAuthRequest> = /* @__PURE__ */ message<
  SessionAuthRequest
>("SessionAuthRequest", (io, value) => ({
  adminToken: io.secret(value.adminToken),
  tenantId: io.text(value.tenantId),
  subject: io.text(value.subject),
  ttlSeconds: io.i32(value.ttlSeconds),
  scope: io.text(value.scope),
}));

/** A browser's token. */
export interface SessionAuthResponse {
  /** The JWT: a secret. Default: `""`. */
  readonly token: string;
  /** When it expires, in Unix milliseconds (int64). Default: 0. */
  readonly expiresAtMs: number;
  /** Why there is none. Default: `""`, there is one. */
  readonly errorMessage: string;
}

/** A browser's token. */
export const SessionAuthResponse: Message<SessionAuthResponse> = /* @__PURE__ */ message<
  SessionAuthResponse
>("SessionAuthResponse", (io, value) => ({
  token: io.secret(value.token),
  expiresAtMs: io.i64(value.expiresAtMs),
  errorMessage: io.text(value.errorMessage),
}));

/** Registers a service account's public key; a tenant may have several. */
export interface PublishServiceAccountRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The tenant that the key speaks for. Default: `""`. */
  readonly tenantId: string;
  /** The key's id, the `kid` of its tokens. Default: `""`. */
  readonly privateKeyId: string;
  /** The public key, SPKI in PEM. Default: `""`. */
  readonly publicKeyPem: string;
  /** `sdk` or `admin`. Default: `""`. */
  readonly role: string;
  /** When the key ends, in Unix milliseconds (int64). Default: 0, never. */
  readonly expiresAtMs: number;
}

/** Registers a service account's public key; a tenant may have several. */
export const PublishServiceAccountRequest: Message<PublishServiceAccountRequest> =
  /* @__PURE__ */ message<PublishServiceAccountRequest>(
    "PublishServiceAccountRequest",
    (io, value) => ({
      adminToken: io.secret(value.adminToken),
      tenantId: io.text(value.tenantId),
      privateKeyId: io.text(value.privateKeyId),
      publicKeyPem: io.text(value.publicKeyPem),
      role: io.text(value.role),
      expiresAtMs: io.i64(value.expiresAtMs),
    }),
  );

/** Revokes a key: its tokens are refused and its sessions closed. */
export interface RevokeServiceAccountRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The tenant. Default: `""`. */
  readonly tenantId: string;
  /** The key's id. Default: `""`. */
  readonly privateKeyId: string;
}

/** Revokes a key: its tokens are refused and its sessions closed. */
export const RevokeServiceAccountRequest: Message<RevokeServiceAccountRequest> =
  /* @__PURE__ */ message<RevokeServiceAccountRequest>(
    "RevokeServiceAccountRequest",
    (io, value) => ({
      adminToken: io.secret(value.adminToken),
      tenantId: io.text(value.tenantId),
      privateKeyId: io.text(value.privateKeyId),
    }),
  );

/** Makes the first tenant of a gateway. */
export interface BootstrapOrgRequest {
  /** Used up by the first success: a secret. Default: `""`. */
  readonly bootstrapSecret: string;
  /** Lower case, with dashes. Default: `""`. */
  readonly tenantId: string;
  /** Default: `""`. */
  readonly displayName: string;
  /** Default: `""`. */
  readonly region: string;
  /** The first admin key's public half, SPKI in PEM. Default: `""`. */
  readonly adminPublicKeyPem: string;
  /** That key's id. Default: `""`. */
  readonly adminPrivateKeyId: string;
}

/** Makes the first tenant of a gateway. */
export const BootstrapOrgRequest: Message<BootstrapOrgRequest> = /* @__PURE__ */ message<
  BootstrapOrgRequest
>("BootstrapOrgRequest", (io, value) => ({
  bootstrapSecret: io.secret(value.bootstrapSecret),
  tenantId: io.text(value.tenantId),
  displayName: io.text(value.displayName),
  region: io.text(value.region),
  adminPublicKeyPem: io.text(value.adminPublicKeyPem),
  adminPrivateKeyId: io.text(value.adminPrivateKeyId),
}));

/** Whether the tenant was made. */
export interface BootstrapOrgResponse {
  /** `ok` or `error`. Default: `""`. */
  readonly status: string;
  /** Why it was not. Default: `""`, it was. */
  readonly errorMessage: string;
  /** The tenant. Default: `""`. */
  readonly tenantId: string;
  /** When, in Unix milliseconds (int64). Default: 0. */
  readonly createdAtMs: number;
}

/** Whether the tenant was made. */
export const BootstrapOrgResponse: Message<BootstrapOrgResponse> = /* @__PURE__ */ message<
  BootstrapOrgResponse
>("BootstrapOrgResponse", (io, value) => ({
  status: io.text(value.status),
  errorMessage: io.text(value.errorMessage),
  tenantId: io.text(value.tenantId),
  createdAtMs: io.i64(value.createdAtMs),
}));
