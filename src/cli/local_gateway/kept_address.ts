/**
 * What clients of a local gateway with a folder know it by, kept across restarts: its UDP port, the certificate that it shows, and the one
 * that it shows next. The next one is made beforehand, so that clients pin both hashes from the start and live through the change.
 *
 * @module
 */

import { encodeBase64 } from "../../base/base64.ts";
import type { Clock } from "../../base/signal.ts";
import type { ListenerCertificate } from "../../gateway/mod.ts";
import { createCertificate } from "../../transport/mod.ts";
import type { Platform } from "../platform.ts";
import { quotePath, UsageError } from "../usage.ts";

/** A certificate with its time. */
interface KeptCertificate extends ListenerCertificate {
  /** Base64 of its SHA-256. */
  readonly hash: string;
  /** When it is shown from, Unix milliseconds. */
  readonly fromMs: number;
  /** When it expires, Unix milliseconds. */
  readonly untilMs: number;
}

/** The content of the file. */
interface Kept {
  readonly version: 1;
  /** The port that was taken where none was asked for. */
  readonly port?: number;
  /** The one that is shown, and the next. */
  readonly certificates: readonly KeptCertificate[];
}

/** Options of {@linkcode openKeptAddress}. */
export interface KeptAddressOptions {
  /** The gateway's folder. */
  readonly folder: string;
  /** The address that it binds, for its certificates. */
  readonly hostname: string;
  readonly platform: Platform;
  readonly clock: Clock;
}

const FILE = "listener.json";
// A certificate lasts 13 days; clocks that differ by up to 3 days do no harm.
const SHOWN_MS = 10 * 86_400_000;
// It is valid from an hour before its time, so that a clock that is set back a little makes no new one.
const EARLY_MS = 1_800_000;

/** Reads the file of a folder, and makes the certificates that are missing or over. */
export async function openKeptAddress(options: KeptAddressOptions): Promise<KeptAddress> {
  const { folder, platform } = options;
  const path = platform.join(folder, FILE);
  const kept = await platform.exists(path) ? parse(path, await platform.readText(path)) : undefined;
  const address = new KeptAddress(path, kept ?? { version: 1, certificates: [] }, options);
  await address.renew();
  return address;
}

/** The port and the certificates of a gateway with a folder. */
export class KeptAddress {
  readonly #path: string;
  readonly #options: KeptAddressOptions;
  #kept: Kept;

  /** Made by {@linkcode openKeptAddress}. */
  constructor(path: string, kept: Kept, options: KeptAddressOptions) {
    this.#path = path;
    this.#kept = kept;
    this.#options = options;
  }

  /** The port that it had before; `undefined` where none was chosen for it. */
  get port(): number | undefined {
    return this.#kept.port;
  }

  /** The certificate to show. */
  get certificate(): ListenerCertificate {
    return this.#kept.certificates[0]!;
  }

  /** What clients pin: the hashes of the certificate that is shown and of the next, separated by commas. */
  get hashes(): string {
    return this.#kept.certificates.map(({ hash }) => hash).join(",");
  }

  /** Remembers the port that was chosen. */
  async rememberPort(port: number): Promise<void> {
    if (port !== this.#kept.port) await this.#save({ ...this.#kept, port });
  }

  /** Passes on to the next certificate when its time has come, and makes the one after it. */
  async renew(): Promise<void> {
    const { clock } = this.#options;
    const now = clock.now();
    // What is over goes, and so does the one that is shown once the next one's time has come.
    const lasting = this.#kept.certificates.filter(({ untilMs }) => untilMs > now);
    const current = lasting.findLastIndex(({ fromMs }) => fromMs - EARLY_MS <= now);
    const certificates = current < 0
      ? [await this.#make(now)]
      : lasting.slice(current, current + 2);
    if (certificates.length < 2) {
      certificates.push(await this.#make(certificates[0]!.fromMs + SHOWN_MS));
    }
    const isChanged = certificates.some(({ hash }, i) => hash !== this.#kept.certificates[i]?.hash);
    if (isChanged) await this.#save({ ...this.#kept, certificates });
  }

  async #make(fromMs: number): Promise<KeptCertificate> {
    const local = ["localhost", "127.0.0.1", "::1"];
    const { hostname } = this.#options;
    const { certificatePem, privateKeyPem, hash, notAfter } = await createCertificate({
      hostnames: local.includes(hostname) ? local : [...local, hostname],
      now: fromMs,
    });
    return {
      certificatePem,
      privateKeyPem,
      hash: encodeBase64(hash.value),
      fromMs,
      untilMs: notAfter,
    };
  }

  async #save(kept: Kept): Promise<void> {
    const text = `${JSON.stringify(kept, null, 2)}\n`;
    await this.#options.platform.writeText(this.#path, text, { mode: 0o600, replace: true });
    this.#kept = kept;
  }
}

function parse(path: string, text: string): Kept {
  let kept: Kept;
  try {
    kept = JSON.parse(text);
  } catch {
    throw damaged(path);
  }
  const { version, port, certificates } = kept ?? {};
  const isPort = port === undefined || Number.isInteger(port) && port > 0 && port < 65_536;
  const isWhole = version === 1 && isPort && Array.isArray(certificates) &&
    certificates.every(isCertificate);
  if (!isWhole) throw damaged(path);
  return { version, certificates, ...(port !== undefined && { port }) };
}

function isCertificate(value: unknown): value is KeptCertificate {
  if (typeof value !== "object" || value === null) return false;
  const { certificatePem, privateKeyPem, hash, fromMs, untilMs } = value as Record<string, unknown>;
  return [certificatePem, privateKeyPem, hash].every((text) => typeof text === "string") &&
    Number.isSafeInteger(fromMs) && Number.isSafeInteger(untilMs);
}

function damaged(path: string): UsageError {
  return new UsageError(
    `Cannot read ${quotePath(path)}: it is damaged, expected the file that a gateway wrote ` +
      "(remove it: the gateway makes another, and clients take its exports again)",
  );
}
