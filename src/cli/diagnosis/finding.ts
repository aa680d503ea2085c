/**
 * The input of a diagnosis, and its findings.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import { errorCatalogue } from "../../catalogue/mod.ts";
import { inLine } from "../terminal/output.ts";
import type { Platform } from "../platform.ts";

/** The result of one check. */
export interface Finding {
  /** What was checked. */
  readonly check:
    | "runtime"
    | "credentials"
    | "endpoint"
    | "network"
    | "certificate"
    | "token"
    | "clock"
    | "gateway";
  /** `"warning"`: works, but should be fixed; `"error"`: does not work; `"unknown"`: could not be checked. */
  readonly level: "ok" | "warning" | "error" | "unknown";
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** The input of a diagnosis. */
export interface DiagnosisInput {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly endpoint: string | undefined;
  /** Path of the service-account file, if known. */
  readonly credentials: string | undefined;
  readonly certificateHash: string | undefined;
  /** Path of the gateway's certificate in PEM, if available. */
  readonly certificate: string | undefined;
  readonly connectTimeoutMs: number;
}

/** A part of a sentence as one of its own. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** An error as a finding; with the catalogue's advice unless the message has its own. */
export function failed(check: Finding["check"], error: unknown): Finding {
  if (!(error instanceof Error)) return { check, level: "error", found: "It failed" };
  const found = inLine(error.message);
  const fix = error instanceof TeleQuickError && !found.endsWith(")")
    ? { fix: errorCatalogue[error.code].fix }
    : {};
  return { check, level: "error", found, ...fix };
}
