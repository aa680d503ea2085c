/**
 * Sessions of byte streams: a URL in, a session out. Knows no frames and no tokens.
 *
 * @module
 */

export type { RefusalReason, TeleQuickError, TeleQuickErrorCode } from "../base/errors.ts";
export type { Clock } from "../base/signal.ts";
export { parseEndpoint } from "./endpoint.ts";
export { resolveWebTransport } from "./dial.ts";
export { openSession } from "./open_session.ts";
export type { OpenSessionOptions } from "./open_session.ts";
export { Session } from "./session.ts";
export type { OpenStreamOptions, SessionClosed } from "./session.ts";
export { ByteReader } from "./http3/byte_reader.ts";
export type { ByteRead, ByteReaderOptions } from "./http3/byte_reader.ts";
export { createCertificate } from "./certificate.ts";
export type { CreateCertificateOptions, CreatedCertificate } from "./certificate.ts";
export { certificateHash, certificateHashes } from "./certificate_hash.ts";
export { createPairTransport, createSessionPair } from "./pair.ts";
export type { SessionPair, SessionPairOptions } from "./pair.ts";
export { fromTransport } from "./fault.ts";
export type { FaultContext } from "./fault.ts";
export type {
  BidirectionalStream,
  CertificateHash,
  CloseInfo,
  DatagramsLike,
  IncomingSession,
  RequestStream,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "./types.ts";
