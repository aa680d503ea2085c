import { equalBytes } from "../../base/bytes.ts";
import type { CertificateHash } from "../types.ts";
import type { NodeModules } from "./socket.ts";

/** What a peer's certificate is held against. */
export interface CertificateWish {
  /** The SHA-256 of the certificates that are accepted; where it is missing the chain was verified by TLS. */
  readonly hashes: readonly CertificateHash[];
  /** The name or the address that was dialled. */
  readonly host: string;
  readonly isAddress: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Judges a server's certificate after the handshake, in which its key was proven: by its hash and its dates where it is pinned
 * (W3C WebTransport section 6.8), else by its name, whose chain TLS has verified.
 *
 * @returns Why it is refused; `undefined` when it is accepted.
 */
export function judgeCertificate(
  { crypto: { X509Certificate, createHash } }: NodeModules,
  [leaf]: readonly Uint8Array[],
  { hashes, host, isAddress, now }: CertificateWish,
): string | undefined {
  if (leaf === undefined) return "invalid peer certificate: it is missing";
  const certificate = new X509Certificate(leaf);
  if (hashes.length === 0) {
    const isFor = isAddress ? certificate.checkIP(host) : certificate.checkHost(host);
    return isFor === undefined ? "invalid peer certificate: NotValidForName" : undefined;
  }
  const hash = new Uint8Array(createHash("sha256").update(leaf).digest());
  if (!hashes.some(({ value }) => equalBytes(value, hash))) {
    return "invalid peer certificate: UnknownIssuer";
  }
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  // A date that cannot be read is out of date.
  return now >= from && now <= to ? undefined : "invalid peer certificate: expired";
}
