/**
 * The parts of `@matrixai/quic`'s native module that are used, structurally: it is an optional package of the user's, not a dependency.
 * Its own JavaScript is not: it copies every packet through several events, and has neither datagrams nor reset codes.
 *
 * @module
 */

/** An address of a UDP packet. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What a connection is made with. */
export interface QuicheConfig {
  setApplicationProtos(protocols: string[]): void;
  setMaxIdleTimeout(ms: number): void;
  setMaxRecvUdpPayloadSize(bytes: number): void;
  setMaxSendUdpPayloadSize(bytes: number): void;
  setInitialMaxData(bytes: number): void;
  setInitialMaxStreamDataBidiLocal(bytes: number): void;
  setInitialMaxStreamDataBidiRemote(bytes: number): void;
  setInitialMaxStreamDataUni(bytes: number): void;
  setInitialMaxStreamsBidi(count: number): void;
  setInitialMaxStreamsUni(count: number): void;
  setMaxStreamWindow(bytes: number): void;
  setMaxConnectionWindow(bytes: number): void;
  setDisableActiveMigration(isDisabled: boolean): void;
  loadVerifyLocationsFromFile(path: string): void;
  enableDgram(isEnabled: boolean, receiveQueue: number, sendQueue: number): void;
}

/** Why a connection ended. */
export interface QuicheError {
  readonly isApp: boolean;
  readonly errorCode: number;
  readonly reason: Uint8Array;
}

/** A connection's state: packets go in and come out, nothing happens by itself. `null` stands for "not now". */
export interface QuicheState {
  recv(packet: Uint8Array, info: { readonly from: HostPort; readonly to: HostPort }): number;
  send(into: Uint8Array): [length: number, info: { readonly to: HostPort }] | null;
  timeout(): number | null;
  onTimeout(): void;
  sendAckEliciting(): void;
  streamRecv(id: number, into: Uint8Array): [length: number, isEnd: boolean] | null;
  streamSend(id: number, bytes: Uint8Array, isEnd: boolean): number | null;
  streamShutdown(id: number, direction: 0 | 1, code: number): unknown;
  readable(): Iterable<number>;
  peerStreamsLeftBidi(): number;
  peerStreamsLeftUni(): number;
  dgramSend(bytes: Uint8Array): unknown;
  dgramMaxWritableLen(): number | null;
  close(isApp: boolean, code: number, reason: Uint8Array): unknown;
  peerCertChain(): Uint8Array[] | null;
  isEstablished(): boolean;
  isDraining(): boolean;
  isClosed(): boolean;
  isTimedOut(): boolean;
  peerError(): QuicheError | null;
  localError(): QuicheError | null;
}

/** The native module. */
export interface QuicheAddon {
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      allowFailure: boolean,
      authorities: Uint8Array | null,
      keys: Uint8Array[] | null,
      certificates: Uint8Array[] | null,
      algorithms: string | null,
    ): QuicheConfig;
  };
  readonly Connection: {
    connect(
      serverName: string | null,
      id: Uint8Array,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheState;
    accept(
      id: Uint8Array,
      originalId: Uint8Array | null,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheState;
  };
  readonly Header: {
    fromSlice(packet: Uint8Array, idLength: number): {
      readonly ty: number;
      readonly version: number;
      readonly dcid: Uint8Array;
      readonly scid: Uint8Array;
    };
  };
  versionIsSupported(version: number): boolean;
  negotiateVersion(scid: Uint8Array, dcid: Uint8Array, into: Uint8Array): number;
}

/** Directions of `streamShutdown`. */
export const shutdown = { read: 0, write: 1 } as const;

/** Sets what both sides of a connection use. */
export function configure(
  config: QuicheConfig,
  { idleMs, maxStreams }: { readonly idleMs: number; readonly maxStreams: number },
): QuicheConfig {
  config.setApplicationProtos(["h3"]);
  config.setMaxIdleTimeout(idleMs);
  config.setMaxRecvUdpPayloadSize(LARGEST_RECEIVED);
  config.setMaxSendUdpPayloadSize(LARGEST_SENT);
  config.setInitialMaxData(CONNECTION_WINDOW);
  config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW);
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW);
  config.setInitialMaxStreamDataUni(STREAM_WINDOW);
  config.setMaxConnectionWindow(CONNECTION_WINDOW);
  config.setMaxStreamWindow(STREAM_WINDOW);
  config.setInitialMaxStreamsBidi(maxStreams);
  config.setInitialMaxStreamsUni(maxStreams);
  config.setDisableActiveMigration(true);
  config.enableDgram(true, 16, 16);
  return config;
}

/** Bytes of UDP payload that are sent at most: what every path carries on which QUIC works (RFC 9000 section 14.1). */
export const LARGEST_SENT = 1_200;
const LARGEST_RECEIVED = 65_527;
const STREAM_WINDOW = 1_048_576;
const CONNECTION_WINDOW = 8 * STREAM_WINDOW;
