/**
 * What can be wrong between a program and a call, looked at one thing after the other.
 *
 * @module
 */

import { type CheckReport, TeleQuickClient } from "../client/mod.ts";
import { importSigner, loadServiceAccount } from "../credentials/mod.ts";
import { TeleQuickError } from "../errors.ts";
import type { Clock } from "../signal.ts";
import { KEY_ID, TENANT_ID } from "../token/mod.ts";
import {
  certificateHash,
  openSession,
  parseEndpoint,
  resolveWebTransport,
} from "../transport/mod.ts";
import { equalBytes } from "../bytes.ts";
import { encodeBase64 } from "../base64.ts";
import { errorCatalogue } from "./catalogue.ts";
import { refusalCatalogue } from "./catalogue_wire.ts";
import { formatDuration, formatInstant, formatMs } from "./format.ts";
import { inLine } from "./output.ts";
import type { Platform } from "./platform.ts";
import { probeQuic, type ProbeResult } from "./quic_probe.ts";

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at. */
  readonly check:
    | "runtime"
    | "credentials"
    | "endpoint"
    | "network"
    | "certificate"
    | "token"
    | "clock"
    | "gateway";
  /** `"warning"`: works, and should be mended; `"error"`: does not work; `"unknown"`: could not be looked at. */
  readonly level: "ok" | "warning" | "error" | "unknown";
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** What is looked at, and with what. */
export interface Patient {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly endpoint: string | undefined;
  /** Path of the service-account file; `undefined` for what the environment says. */
  readonly credentials: string | undefined;
  readonly certificateHash: string | undefined;
  /** Path of the gateway's certificate in PEM, where it is at hand. */
  readonly certificate: string | undefined;
  readonly connectTimeoutMs: number;
}

/** Looks at everything, in the order in which a call needs it. */
export async function* diagnose(patient: Patient): AsyncGenerator<Finding> {
  yield* checkRuntime(patient);
  let hasCredentials = false;
  for await (const finding of checkCredentials(patient)) {
    yield finding;
    hasCredentials = finding.level !== "error";
  }
  const url = yield* checkEndpoint(patient);
  const pinned = yield* checkPinned(patient);
  if (url === undefined || pinned === undefined) return;
  const isThere = yield* checkNetwork(patient, url);
  if (!hasCredentials || !isThere) {
    yield { check: "gateway", level: "unknown", found: "Not asked: the above comes first" };
    return;
  }
  yield* checkGateway(patient, url, pinned);
}

async function* checkRuntime({ platform }: Patient): AsyncGenerator<Finding> {
  try {
    await resolveWebTransport();
    yield { check: "runtime", level: "ok", found: `${platform.runtime} has WebTransport` };
  } catch (error) {
    yield failed("runtime", error);
  }
}

async function* checkCredentials({ platform, credentials }: Patient): AsyncGenerator<Finding> {
  const warnings: string[] = [];
  try {
    const account = await loadServiceAccount(credentials, {
      onWarning: (message) => warnings.push(message),
    });
    const path = credentials ?? platform.variable("TELEQUICK_CREDENTIALS") ?? "";
    const { key, keyId, tenantId } = await importSigner(account);
    const { modulusLength } = key.algorithm as RsaHashedKeyAlgorithm;
    for (const found of warnings) yield { check: "credentials", level: "warning", found };
    if (!TENANT_ID.test(tenantId) || !KEY_ID.test(keyId)) {
      yield {
        check: "credentials",
        level: "warning",
        found: `tenant_id or private_key_id of ${JSON.stringify(path)} has an unusual form`,
        fix: "Compare both with what the console shows: a gateway may refuse them",
      };
    }
    yield {
      check: "credentials",
      level: "ok",
      found: `${JSON.stringify(path)}: tenant ${inLine(tenantId)}, key ${
        inLine(keyId)
      }, RSA of ${modulusLength} bits`,
    };
  } catch (error) {
    yield failed("credentials", error);
  }
}

async function* checkEndpoint({ endpoint }: Patient): AsyncGenerator<Finding, URL | undefined> {
  if (endpoint === undefined) {
    yield {
      check: "endpoint",
      level: "error",
      found: "No endpoint is known",
      fix:
        "Give --endpoint https://host:9090 or set TELEQUICK_ENDPOINT; telequick gateway starts one",
    };
    return undefined;
  }
  try {
    const url = parseEndpoint(endpoint);
    yield { check: "endpoint", level: "ok", found: url.origin };
    return url;
  } catch (error) {
    yield failed("endpoint", error);
    return undefined;
  }
}

// What browsers ask of a certificate that is accepted by its hash (W3C WebTransport section 6.9).
const MAX_PINNED_MS = 14 * 86_400_000;

/** Looks at the certificate and the hash that were given. Returns the hash to pin, `""` for none, `undefined` when it is no hash. */
async function* checkPinned(patient: Patient): AsyncGenerator<Finding, string | undefined> {
  const { platform, clock, certificate } = patient;
  const given = patient.certificateHash ?? "";
  try {
    const pinned = given === "" || given === "none" ? undefined : await certificateHash(given);
    if (certificate === undefined) return given;
    const pem = await platform.readText(certificate);
    const own = await certificateHash(pem);
    const facts = platform.readCertificate(pem);
    const now = clock.now();
    if (pinned !== undefined && !equalBytes(pinned.value, own.value)) {
      yield {
        check: "certificate",
        level: "error",
        found: "The hash is not that of the certificate",
        fix: `Set TELEQUICK_CERTIFICATE_HASH=${encodeBase64(own.value)}`,
      };
    }
    if (facts !== undefined && (facts.notAfter < now || facts.notBefore > now)) {
      yield {
        check: "certificate",
        level: "error",
        found: facts.notAfter < now
          ? `It expired ${formatDuration(now - facts.notAfter)} ago`
          : `It begins only at ${formatInstant(facts.notBefore)}`,
        fix: "Make a new one, restart the gateway with it, and take its hash again",
      };
    } else if (facts !== undefined) {
      const isShort = facts.notAfter - facts.notBefore <= MAX_PINNED_MS;
      const isCurve = facts.keyKind.startsWith("ec ");
      yield {
        check: "certificate",
        level: isShort && isCurve ? "ok" : "warning",
        found: `${facts.keyKind}, ends in ${formatDuration(facts.notAfter - now)}`,
        ...(!(isShort && isCurve) && {
          fix: "Browsers accept by hash only an EC certificate of at most 14 days: make such a one",
        }),
      };
    }
    return given === "" ? encodeBase64(own.value) : given;
  } catch (error) {
    yield failed("certificate", error);
    return undefined;
  }
}

const NETWORK: Readonly<Record<ProbeResult["type"], Omit<Finding, "check">>> = {
  "quic": { level: "ok", found: "QUIC answers over UDP" },
  "other": {
    level: "error",
    found: "Something answers at this UDP port that does not speak QUIC",
    fix: "Check the port: the gateway's is 9090 unless it says otherwise",
  },
  "refused": {
    level: "error",
    found: "Nothing listens at this UDP port",
    fix: "Start the gateway, or check the port: telequick gateway prints it",
  },
  "no-address": {
    level: "error",
    found: "The host name has no address",
    fix: "Check its spelling and this machine's name resolution",
  },
  "forbidden": {
    level: "error",
    found: "This machine or program may not send to it",
    fix: "Check the firewall of this machine; start deno with -A",
  },
  "silence": {
    level: "error",
    found: "Nothing answers at this UDP port within 3 s",
    fix:
      "Check that the gateway runs, and that no firewall on the way drops UDP (a VPN often does)",
  },
};

async function* checkNetwork(patient: Patient, url: URL): AsyncGenerator<Finding, boolean> {
  const { platform, clock, signal } = patient;
  const result = await probeQuic({
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || "443"),
    ...{ platform, clock, signal },
  });
  const { level, found, ...fix } = NETWORK[result.type];
  const time = result.type === "quic" ? `, in ${formatMs(result.roundTripMs)}` : "";
  yield { check: "network", level, found: `${found}${time}`, ...fix };
  return result.type === "quic";
}

/** Signs in and measures. */
async function* checkGateway(
  patient: Patient,
  url: URL,
  pinned: string,
): AsyncGenerator<Finding> {
  const { clock, signal, credentials, connectTimeoutMs } = patient;
  const client = new TeleQuickClient(url.href, credentials, false, {
    serverCertificateHash: pinned,
    clock,
    connectTimeoutMs,
  });
  let report: CheckReport;
  try {
    report = await client.check({ signal });
  } finally {
    await client.close();
  }
  const { error, verdict, roundTripsMs, clockOffsetMs, tenantId, expiresAtMs } = report;
  if (verdict === "blocked") {
    yield* explainBlocked(error, patient, url, pinned !== "" && pinned !== "none");
    return;
  }
  yield {
    check: "certificate",
    level: "ok",
    found: pinned === "" || pinned === "none"
      ? "Signed by an authority that this runtime trusts"
      : "The pinned one",
  };
  const life = expiresAtMs === 0 ? "" : `, for ${formatDuration(expiresAtMs - clock.now())}`;
  yield { check: "token", level: "ok", found: `Accepted for tenant ${inLine(tenantId)}${life}` };
  const reasons = new Map(report.reasons.map(({ code, message }) => [code, message]));
  yield clockFinding(clockOffsetMs, reasons.get("clock"));
  reasons.delete("clock");
  for (const found of reasons.values()) yield { check: "gateway", level: "warning", found };
  if (reasons.size === 0) {
    const sorted = [...roundTripsMs].sort((a, b) => a - b);
    const median = formatMs(sorted[sorted.length >> 1] ?? 0);
    yield { check: "gateway", level: "ok", found: `Answers in ${median} (median)` };
  }
}

function clockFinding(offsetMs: number | undefined, problem: string | undefined): Finding {
  if (problem !== undefined) {
    return {
      check: "clock",
      level: "warning",
      found: problem,
      fix: "Set this machine's clock by a time server",
    };
  }
  if (offsetMs === undefined) {
    return { check: "clock", level: "unknown", found: "The gateway does not tell its time" };
  }
  const side = offsetMs > 0 ? "behind" : "ahead of";
  return {
    check: "clock",
    level: "ok",
    found: `${formatDuration(Math.abs(offsetMs))} ${side} the gateway's`,
  };
}

async function* explainBlocked(
  error: unknown,
  patient: Patient,
  url: URL,
  isPinned: boolean,
): AsyncGenerator<Finding> {
  if (!(error instanceof TeleQuickError)) {
    yield failed("gateway", error);
    return;
  }
  const { code, message, refusal } = error;
  if (code === "ERR_UNAUTHORIZED" && refusal !== undefined) {
    const { meaning, fix } = refusalCatalogue[refusal];
    yield { check: "token", level: "error", found: `Refused (${refusal}): ${meaning}`, fix };
    return;
  }
  if (code !== "ERR_CONNECT_FAILED" || !/certificate/.test(message)) {
    yield failed("gateway", error);
    return;
  }
  const isTrusted = isPinned && await connectsUnpinned(patient, url);
  yield {
    check: "certificate",
    level: "error",
    found: isTrusted
      ? "The gateway's certificate is signed by a known authority and has another hash than the pinned one"
      : isPinned
      ? "The gateway's certificate has another hash than the pinned one"
      : "The gateway's certificate is not signed by an authority that this runtime trusts",
    fix: isTrusted
      ? "Pin nothing: unset TELEQUICK_CERTIFICATE_HASH"
      : "Take the hash that the gateway prints now: export TELEQUICK_CERTIFICATE_HASH=... (a local gateway has a new certificate after each start)",
  };
}

async function connectsUnpinned(
  { clock, signal, connectTimeoutMs }: Patient,
  url: URL,
): Promise<boolean> {
  try {
    const session = await openSession(url, { clock, signal, connectTimeoutMs });
    session.close();
    return true;
  } catch {
    return false;
  }
}

/** An error as a finding; the registry's advice where the message has none of its own. */
function failed(check: Finding["check"], error: unknown): Finding {
  if (!(error instanceof Error)) return { check, level: "error", found: "It failed" };
  const found = inLine(error.message);
  const fix = error instanceof TeleQuickError && !found.endsWith(")")
    ? { fix: errorCatalogue[error.code].fix }
    : {};
  return { check, level: "error", found, ...fix };
}
