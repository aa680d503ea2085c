/**
 * Checks of arguments: each error names the action, the argument, what was found and what was expected.
 *
 * @module
 */

import { TeleQuickError } from "./errors.ts";

/** What a number must be. */
export interface NumberRange {
  /** Smallest value accepted. Default: none. */
  readonly min?: number;
  /** Largest value accepted. Default: none. */
  readonly max?: number;
  /** Whether it must be a whole number. Default: `false`. */
  readonly integer?: boolean;
  /** What is expected, for the message, such as `"seconds from 0 to 60"`. Default: a number, or an integer, from `min` to `max`. */
  readonly expected?: string;
}

/** Says what kind of value something is, without quoting it: `a number`, `undefined`, `an array`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return `${value}`;
  if (Array.isArray(value)) return "an array";
  const type = typeof value;
  return type === "object" ? "an object" : `a ${type}`;
}

/**
 * Returns a number that is in its range.
 *
 * @param action What cannot be done otherwise, such as `"verify token"`.
 * @param name The argument's name.
 * @param value The argument.
 * @param range What it must be.
 * @throws `TypeError` when it is not a number, `ERR_VALUE_INVALID` when it is `NaN` or out of range.
 */
export function checkNumber(
  action: string,
  name: string,
  value: unknown,
  { min = -Infinity, max = Infinity, integer = false, expected }: NumberRange,
): number {
  const isNumber = typeof value === "number";
  const isInRange = isNumber && value >= min && value <= max;
  if (isInRange && (!integer || Number.isInteger(value))) return value;
  const found = isNumber ? value : kindOf(value);
  const wanted = expected ?? `${integer ? "an integer" : "a number"} from ${min} to ${max}`;
  const message = `Cannot ${action}: ${name} is ${found}, expected ${wanted}`;
  throw isNumber ? new TeleQuickError("ERR_VALUE_INVALID", message) : new TypeError(message);
}

/** Returns a string. Throws `TypeError` for anything else. */
export function checkString(action: string, name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`Cannot ${action}: ${name} is ${kindOf(value)}, expected a string`);
}
