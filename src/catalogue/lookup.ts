/**
 * Looks codes up.
 *
 * @module
 */

import { ErrorCode, EventType, nameOf, q850Causes } from "../wire/mod.ts";
import { errorCatalogue } from "./errors.ts";
import { logCatalogue } from "./log.ts";
import {
  endingCatalogue,
  eventCatalogue,
  q850Entry,
  refusalCatalogue,
  wireCatalogue,
} from "./wire.ts";

/** The kind of a code; it can be written as a prefix, as in `q850:17`. */
export type CodeKind = "sdk" | "wire" | "refusal" | "ending" | "q850" | "event" | "log";

/** The meaning of one code. */
export interface Explanation {
  readonly kind: CodeKind;
  /** The code as it is written: a name, or a number. */
  readonly code: string;
  /** Another way to write it, if any. */
  readonly alias?: string;
  readonly meaning: string;
  readonly causes: readonly string[];
  readonly fix: string;
  /** Absent where it does not apply, such as for an event. */
  readonly retryable?: string;
}

/** Every code, kind by kind. */
export function allExplanations(): readonly Explanation[] {
  return [
    ...Object.entries(errorCatalogue).map(([code, entry]) => ({
      kind: "sdk" as const,
      code,
      ...entry,
    })),
    ...Object.entries(wireCatalogue).map(([name, entry]) => ({
      kind: "wire" as const,
      code: String(ErrorCode[name as keyof typeof ErrorCode]),
      alias: name,
      ...entry,
    })),
    ...Object.entries(refusalCatalogue).map(([code, entry]) => ({
      kind: "refusal" as const,
      code,
      ...entry,
    })),
    ...Object.entries(endingCatalogue).map(([code, entry]) => ({
      kind: "ending" as const,
      code,
      ...entry,
    })),
    ...Object.keys(q850Causes).map((code) => ({
      kind: "q850" as const,
      code,
      ...q850Entry(Number(code))!,
    })),
    ...Object.entries(eventCatalogue).map(([name, entry]) => ({
      kind: "event" as const,
      code: String(EventType[name as keyof typeof EventType]),
      alias: name,
      ...entry,
    })),
    ...Object.entries(logCatalogue).map(([code, { level, meaning, details }]) => ({
      kind: "log" as const,
      code,
      meaning,
      causes: Object.entries(details).map(([name, what]) => `${name}: ${what}`),
      fix: level === "warn" ? "Check whether it recurs" : "Nothing to do",
    })),
  ];
}

/**
 * Every meaning of a code: a number can be a wire error code, a Q.850 cause and an event type at once. Names match without
 * `ERR_` or `CHANNEL_` and in any case; a kind as prefix, as in `q850:17`, selects that kind.
 */
export function findExplanations(typed: string): readonly Explanation[] {
  const [, kind, code] = /^(?:(sdk|wire|refusal|ending|q850|event|log)[:=])?(.*)$/i.exec(
    typed.trim(),
  )!;
  const wanted = normalise(code!);
  return allExplanations().filter((one) =>
    (kind === undefined || one.kind === kind.toLowerCase()) &&
    [one.code, one.alias ?? one.code].some((name) => normalise(name) === wanted)
  );
}

/** The names of all codes, or their numbers where they have no name. */
export function knownCodes(): readonly string[] {
  return allExplanations().flatMap(({ code, alias }) => [alias ?? code]);
}

/** The name of an event type; `EVENT_` and its number for an unknown one. */
export function eventName(eventType: number): string {
  return nameOf(EventType, eventType) ?? `EVENT_${eventType}`;
}

function normalise(code: string): string {
  return code.toUpperCase().replace(/[\s_-]+/g, "_").replace(/^(ERR|CHANNEL)_/, "");
}
