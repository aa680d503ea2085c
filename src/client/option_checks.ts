/**
 * Checks of single options. Each error names the option, what was found, and what was expected.
 *
 * @module
 */

import { kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";

/** A number of milliseconds above 0, `Infinity` included; the default for `undefined`. */
export function duration(name: string, value: number | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (typeof value !== "number") {
    throw new TypeError(`Option ${name} is ${found(value)}, expected a number of milliseconds`);
  }
  if (value > 0) return value;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Option ${name} is ${value}, expected milliseconds above 0`,
  );
}

/** A number of milliseconds of at least 0, `Infinity` included; the default for `undefined`. */
export function durationOrZero(
  name: string,
  value: number | undefined,
  byDefault: number,
): number {
  return value === 0 ? 0 : duration(name, value, byDefault);
}

/** `true` or `false`; the default for `undefined`. */
export function flag(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined) return byDefault;
  if (typeof value === "boolean") return value;
  throw new TypeError(`Option ${name} is ${found(value)}, expected true or false`);
}

/** A text that is not empty; `undefined` when it is not given. */
export function text(name: string, value: string | undefined): string | undefined {
  if (value === undefined || typeof value === "string" && value !== "") return value;
  throw new TypeError(`Option ${name} is ${found(value)}, expected a non-empty string`);
}

/** One of some words; the first of them for `undefined`. */
export function oneOf<T extends string>(
  name: string,
  value: T | undefined,
  allowed: readonly [T, ...T[]],
): T {
  if (value === undefined) return allowed[0];
  if (allowed.includes(value)) return value;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Option ${name} is "${value}", expected ${allowed.map((one) => `"${one}"`).join(" or ")}`,
  );
}

/** What was given in place of an option's value, in words; a text itself is not repeated. */
export function found(value: unknown): string {
  return value === "" ? "an empty string" : kindOf(value);
}
