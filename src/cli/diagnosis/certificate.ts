/**
 * The given certificate and hash: key type, age, whether they match.
 *
 * @module
 */

import { encodeBase64 } from "../../base/base64.ts";
import { equalBytes } from "../../base/bytes.ts";
import { certificateHash, certificateHashes } from "../../transport/mod.ts";
import { formatDuration, formatInstant } from "../terminal/format.ts";
import type { CertificateFacts } from "../platform.ts";
import { type DiagnosisInput, failed, type Finding } from "./finding.ts";

// The limit for certificates that are accepted by hash (W3C WebTransport section 6.9).
const MAX_PINNED_MS = 14 * 86_400_000;

/** Checks the given certificate and hash. Returns the hash to pin, `""` to pin nothing, `undefined` when it is invalid. */
export async function* checkPinned(
  input: DiagnosisInput,
): AsyncGenerator<Finding, string | undefined> {
  const { platform, clock, certificate } = input;
  const given = input.certificateHash ?? "";
  try {
    const pinned = given === "" || given === "none" ? [] : await certificateHashes(given);
    if (certificate === undefined) return given;
    const pem = await platform.readText(certificate);
    const own = await certificateHash(pem);
    const facts = platform.readCertificate(pem);
    if (pinned.length > 0 && !pinned.some(({ value }) => equalBytes(value, own.value))) {
      yield {
        check: "certificate",
        level: "error",
        found: "The hash does not match the certificate",
        fix: `Set TELEQUICK_CERTIFICATE_HASH=${encodeBase64(own.value)}`,
      };
    }
    if (facts !== undefined) yield judge(facts, clock.now());
    return given === "" ? encodeBase64(own.value) : given;
  } catch (error) {
    yield failed("certificate", error);
    return undefined;
  }
}

function judge({ keyKind, notBefore, notAfter }: CertificateFacts, now: number): Finding {
  const check = "certificate";
  if (now < notBefore || now > notAfter) {
    const found = now < notBefore
      ? `It is not valid before ${formatInstant(notBefore)}`
      : `It expired ${formatDuration(now - notAfter)} ago`;
    const fix = "Create a new certificate, restart the gateway with it, and use its new hash";
    return { check, level: "error", found, fix };
  }
  const found = `${keyKind}, expires in ${formatDuration(notAfter - now)}`;
  if (notAfter - notBefore <= MAX_PINNED_MS && keyKind.startsWith("ec ")) {
    return { check, level: "ok", found };
  }
  const fix =
    "Browsers accept a certificate by hash only if it is EC and valid for at most 14 days: create such a certificate";
  return { check, level: "warning", found, fix };
}
