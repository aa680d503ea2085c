/**
 * What tests of programs that use the SDK need, in memory, on any runtime and with any test runner.
 *
 * @module
 */

export { testGateway } from "./kit.ts";
export type { TestGatewayOptions, TestKit, TestSession } from "./kit.ts";
export type { AddTenantOptions, TestGateway, TestTenant } from "./test_gateway.ts";
export { scriptedPhone } from "./scripted_phone.ts";
export type { HeardCall, Spoken } from "./heard.ts";
export type { NetworkConditions } from "./network.ts";
export type { TestClock } from "./counting_clock.ts";
export { FakeClock } from "./fake_clock.ts";
export type { RunUntilOptions } from "./fake_clock.ts";
export { settle } from "./settle.ts";
export { scriptedGateway } from "./scripted_gateway.ts";
export { createMemoryStore } from "./memory_store.ts";
export type { MemoryStoreOptions } from "./memory_store.ts";
export { sharedStoreContract } from "./store_contract.ts";
export type { StoreCheck, StoreContractOptions, StoreUnderTest } from "./store_contract.ts";
export type {
  SharedEntry,
  SharedPage,
  SharedQuery,
  SharedStore,
  SharedWrite,
} from "../base/store/shared_store.ts";
export { unsignedToken } from "./unsigned_token.ts";
export type {
  Script,
  ScriptedGateway,
  ScriptedGatewayOptions,
  ScriptedPeer,
  ScriptedRequest,
} from "./scripted_gateway.ts";
export type {
  BidirectionalStream,
  CertificateHash,
  Clock,
  CloseInfo,
  DatagramsLike,
  IncomingSession,
  OpenStreamOptions,
  RefusalReason,
  RequestStream,
  Session,
  SessionClosed,
  SessionPair,
  SessionPairOptions,
  TeleQuickError,
  TeleQuickErrorCode,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../transport/mod.ts";
export type { Field, FieldInfo, FieldKind, Message, Method } from "../wire/mod.ts";
