/**
 * The certificate and the hash that were given: kind, age, whether they belong together.
 *
 * @module
 */

import { encodeBase64 } from "../../base/base64.ts";
import { equalBytes } from "../../base/bytes.ts";
import { certificateHash } from "../../transport/mod.ts";
import { formatDuration, formatInstant } from "../terminal/format.ts";
import type { CertificateFacts } from "../platform.ts";
import { failed, type Finding, type Patient } from "./finding.ts";

// What browsers ask of a certificate that is accepted by its hash (W3C WebTransport section 6.9).
const MAX_PINNED_MS = 14 * 86_400_000;

/** Looks at the certificate and the hash that were given. Returns the hash to pin, `""` for none, `undefined` when it is no hash. */
export async function* checkPinned(patient: Patient): AsyncGenerator<Finding, string | undefined> {
  const { platform, clock, certificate } = patient;
  const given = patient.certificateHash ?? "";
  try {
    const pinned = given === "" || given === "none" ? undefined : await certificateHash(given);
    if (certificate === undefined) return given;
    const pem = await platform.readText(certificate);
    const own = await certificateHash(pem);
    const facts = platform.readCertificate(pem);
    if (pinned !== undefined && !equalBytes(pinned.value, own.value)) {
      yield {
        check: "certificate",
        level: "error",
        found: "The hash is not that of the certificate",
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
      ? `It begins only at ${formatInstant(notBefore)}`
      : `It expired ${formatDuration(now - notAfter)} ago`;
    const fix = "Make a new one, restart the gateway with it, and take its hash again";
    return { check, level: "error", found, fix };
  }
  const found = `${keyKind}, ends in ${formatDuration(notAfter - now)}`;
  if (notAfter - notBefore <= MAX_PINNED_MS && keyKind.startsWith("ec ")) {
    return { check, level: "ok", found };
  }
  const fix = "Browsers accept by hash only an EC certificate of at most 14 days: make such a one";
  return { check, level: "warning", found, fix };
}
