import { TransportFault } from "../fault.ts";
import { builtinModule, thisMachine } from "../packages.ts";
import type { HostPort } from "./binding.ts";

/** The part of `node:dgram`'s socket that is used. */
export interface UdpSocket {
  bind(port: number, host: string, onBound: () => void): void;
  connect(port: number, host: string, onConnected: (error?: Error) => void): void;
  send(packet: Uint8Array, onSent?: (error: Error | null) => void): void;
  send(
    packet: Uint8Array,
    port: number,
    host: string,
    onSent?: (error: Error | null) => void,
  ): void;
  address(): { readonly address: string; readonly port: number };
  on(
    event: "message",
    handler: (packet: Uint8Array, from: { address: string; port: number }) => void,
  ): void;
  on(event: "error", handler: (error: Error) => void): void;
  close(): void;
}

/** The runtime's own modules that a QUIC connection needs. */
export interface NodeModules {
  readonly dgram: { createSocket(options: { type: string; ipv6Only?: boolean }): UdpSocket };
  readonly dns: {
    lookup(
      host: string,
      onFound: (error: Error | null, address: string, family: number) => void,
    ): void;
  };
  readonly net: { isIP(text: string): number };
  readonly crypto: {
    readonly X509Certificate: new (der: Uint8Array) => {
      readonly validFrom: string;
      readonly validTo: string;
      checkHost(name: string): string | undefined;
      checkIP(address: string): string | undefined;
    };
    createHash(algorithm: "sha256"): { update(bytes: Uint8Array): { digest(): Uint8Array } };
  };
  /** Certificates of the authorities to trust, PEM, as far as the runtime knows them. */
  authorities(): readonly string[];
  /** Files of more authorities to trust; those that are not there are skipped. */
  readonly authorityFiles: readonly string[];
}

interface Tls {
  readonly rootCertificates: readonly string[];
  readonly getCACertificates?: (type: "system" | "extra") => readonly string[];
}

/** The modules of Bun and Node. */
export function nodeModules(): NodeModules {
  return {
    dgram: builtinModule("node:dgram") as NodeModules["dgram"],
    dns: builtinModule("node:dns") as NodeModules["dns"],
    net: builtinModule("node:net") as NodeModules["net"],
    crypto: builtinModule("node:crypto") as NodeModules["crypto"],
    authorities() {
      const { getCACertificates, rootCertificates } = builtinModule("node:tls") as Tls;
      // Newer ones read the system's store, SSL_CERT_FILE and NODE_EXTRA_CA_CERTS themselves.
      const known = [...getCACertificates?.("system") ?? [], ...getCACertificates?.("extra") ?? []];
      // Off Linux the system's store has no files.
      return known.length > 0 || isLinux() ? known : rootCertificates;
    },
    authorityFiles: isLinux() ? LINUX_BUNDLES : [],
  };
}

function isLinux(): boolean {
  return thisMachine().platform === "linux";
}

// Where Debian and Ubuntu, the Red Hat family, and SUSE keep the system's authorities.
const LINUX_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
];

/** A UDP socket to one peer. */
export interface ClientSocket {
  readonly local: HostPort;
  readonly remote: HostPort;
  send(packet: Uint8Array): void;
  onPacket(handler: (packet: Uint8Array) => void): void;
  onError(handler: (error: Error) => void): void;
  close(): void;
}

/** Opens a UDP socket to a host. Connected, so that the system reports a port at which nothing listens. */
export async function openClientSocket(
  { dgram, dns }: NodeModules,
  host: string,
  port: number,
): Promise<ClientSocket> {
  const { address, family } = await new Promise<{ address: string; family: number }>(
    (resolve, reject) =>
      dns.lookup(host, (error, address, family) => {
        if (error === null) resolve({ address, family });
        else reject(new TransportFault(`dns lookup failed: ${error.message}`));
      }),
  );
  const socket = dgram.createSocket({ type: family === 6 ? "udp6" : "udp4" });
  let onError: (error: Error) => void = () => {};
  await new Promise<void>((resolve, reject) => {
    onError = reject;
    socket.on("error", (error) => onError(error));
    socket.connect(port, address, (error) => error === undefined ? resolve() : reject(error));
  });
  const own = socket.address();
  let isClosed = false;
  return {
    local: { host: own.address, port: own.port },
    remote: { host: address, port },
    send: (packet) => {
      // A packet that cannot be sent is lost, as packets are: QUIC sends it again, or gives up.
      if (!isClosed) socket.send(packet, () => {});
    },
    onPacket: (handler) => socket.on("message", handler),
    onError: (handler) => void (onError = handler),
    close() {
      if (isClosed) return;
      isClosed = true;
      socket.close();
    },
  };
}
