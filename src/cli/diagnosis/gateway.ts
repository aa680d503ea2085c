/**
 * The gateway itself: its certificate, the token, the clock, round trips.
 *
 * @module
 */

import { type CheckReport, TeleQuickClient } from "../../client/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { openSession } from "../../transport/mod.ts";
import { refusalCatalogue } from "../../catalogue/mod.ts";
import { formatDuration, formatMs } from "../terminal/format.ts";
import { inLine } from "../terminal/output.ts";
import { gatewayAdvice } from "../gateway_control.ts";
import { type DiagnosisInput, failed, type Finding, sentence } from "./finding.ts";

/** Signs in and measures. */
export async function* checkGateway(
  input: DiagnosisInput,
  url: URL,
  pinned: string,
): AsyncGenerator<Finding> {
  const { clock, signal, credentials, connectTimeoutMs } = input;
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
    yield* explainBlocked(error, input, url, pinned !== "" && pinned !== "none");
    return;
  }
  yield {
    check: "certificate",
    level: "ok",
    found: pinned === "" || pinned === "none"
      ? "Signed by a CA that this runtime trusts"
      : "Matches the pinned hash",
  };
  const life = expiresAtMs === 0 ? "" : `, valid for ${formatDuration(expiresAtMs - clock.now())}`;
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
      fix: "Synchronise this machine's clock (NTP)",
    };
  }
  if (offsetMs === undefined) {
    return { check: "clock", level: "unknown", found: "The gateway does not report its time" };
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
  input: DiagnosisInput,
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
  const isTrusted = isPinned && await connectsUnpinned(input, url);
  yield {
    check: "certificate",
    level: "error",
    found: isTrusted
      ? "The gateway's certificate is signed by a known CA, and its hash differs from the pinned hash"
      : isPinned
      ? "The hash of the gateway's certificate differs from the pinned hash"
      : "The gateway's certificate is not signed by a CA that this runtime trusts",
    fix: isTrusted ? "Unset TELEQUICK_CERTIFICATE_HASH" : sentence(
      await gatewayAdvice(input, input.platform) ??
        "use the hash that the gateway prints now: export TELEQUICK_CERTIFICATE_HASH=... (a local gateway without --directory has a new certificate after each start)",
    ),
  };
}

async function connectsUnpinned(
  { clock, signal, connectTimeoutMs }: DiagnosisInput,
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
