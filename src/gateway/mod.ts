/**
 * The local gateway: verifies tokens, keeps tenants apart, and simulates the far end of their calls. For development and tests.
 *
 * @example Listen, and let a client in
 * ```ts
 * import { createGateway } from "@telequick/sdk/gateway";
 *
 * const gateway = createGateway();
 * await gateway.addTrunk({ tenantId: "acme", trunkId: "main" });
 * const { endpoint, certificateHash, close } = await gateway.listen();
 * console.log(endpoint, certificateHash);
 * await close();
 * await gateway.close();
 * ```
 *
 * @module
 */

export { createGateway } from "./gateway.ts";
export type { Gateway, GatewayOptions, RevokeResult } from "./options.ts";
export type { ClusterOptions } from "./cluster/options.ts";
export type {
  SharedEntry,
  SharedPage,
  SharedQuery,
  SharedStore,
  SharedWrite,
} from "../base/store/shared_store.ts";
export type { ChooseFarEnd, FarEndCall, FarEndPhone, HeardAudio } from "./call/phone/phone.ts";
export type { Faults, FaultTarget, SetFaults } from "./call/faults/faults.ts";
export type { CallState } from "./call/call.ts";
export type { CallLevels } from "./call/level_meter.ts";
export type {
  CallQuality,
  CallReading,
  CallSnapshot,
  GatewayRecord,
  GatewaySnapshot,
  GatewayWatch,
  KeySnapshot,
  PhonesSnapshot,
  SessionSnapshot,
  TenantSnapshot,
  TrunkSnapshot,
  WatchOptions,
} from "./observe/records.ts";
export type { GatewayPhones, PhoneToken, PhoneTokenOptions } from "./phones/phones.ts";
export { parsePhoneScripts } from "./call/phone/script_file.ts";
export type { ParsePhoneScriptsOptions, PhoneScripts } from "./call/phone/script_file.ts";
export { type TestNumber, testNumbers } from "./call/phone/test_numbers.ts";
export { checkPhoneScript } from "./call/phone/phone_script.ts";
export type { PhoneScript, PhoneStep } from "./call/phone/phone_script.ts";
export type { InboundCall, SimulateInboundCallOptions } from "./simulated_inbound.ts";
export type { GatewayListener, GatewayListenOptions } from "./listener.ts";
export type { ListenerCertificate } from "../transport/listen.ts";
export type { GatewayLogEvent, GatewayLogRecord, GatewayStats } from "./log.ts";
export type { GatewayStorage } from "./storage/archive.ts";
export type {
  PublishServiceAccountOptions,
  RevokeServiceAccountOptions,
} from "./auth/key_registry.ts";
export type { AddTrunkOptions } from "./tenant/trunk.ts";
export { type Limit, type LimitName, type Limits, limits } from "./limits.ts";
export { createCertificate, createSessionPair } from "../transport/mod.ts";
export type {
  BidirectionalStream,
  CertificateHash,
  CloseInfo,
  CreateCertificateOptions,
  CreatedCertificate,
  DatagramsLike,
  IncomingSession,
  RequestStream,
  SessionPair,
  SessionPairOptions,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../transport/mod.ts";
export type { TrunkRecord } from "../wire/mod.ts";
export type { KeyRole } from "../token/mod.ts";
export type { RefusalReason } from "../base/errors.ts";
export type { Clock } from "../base/signal.ts";
