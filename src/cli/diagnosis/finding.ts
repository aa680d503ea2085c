/**
 * What a diagnosis looks at, and what it finds.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import { errorCatalogue } from "../../catalogue/mod.ts";
import { inLine } from "../terminal/output.ts";
import type { Platform } from "../platform.ts";

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
  /** Path of the service-account file, where one is known. */
  readonly credentials: string | undefined;
  readonly certificateHash: string | undefined;
  /** Path of the gateway's certificate in PEM, where it is at hand. */
  readonly certificate: string | undefined;
  readonly connectTimeoutMs: number;
}

/** An error as a finding; the registry's advice where the message has none of its own. */
export function failed(check: Finding["check"], error: unknown): Finding {
  if (!(error instanceof Error)) return { check, level: "error", found: "It failed" };
  const found = inLine(error.message);
  const fix = error instanceof TeleQuickError && !found.endsWith(")")
    ? { fix: errorCatalogue[error.code].fix }
    : {};
  return { check, level: "error", found, ...fix };
}
