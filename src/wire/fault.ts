/**
 * Faults of values and bytes inside this room. A message adds its name and the name of the field, and throws the public error.
 *
 * @module
 */

import { isBytes } from "../base/bytes.ts";
import { kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";

/** Why a field cannot be encoded or decoded. Not an `Error`: hostile bytes must not cost a stack trace. */
export class Fault {
  /** What was found, in words. */
  readonly found: string;
  /** What was expected, in words. */
  readonly expected: string;
  /** Whether a value has the wrong JavaScript type. */
  readonly wrongType: boolean;

  constructor(found: string, expected: string, wrongType = false) {
    this.found = found;
    this.expected = expected;
    this.wrongType = wrongType;
  }
}

/** A value in words: numbers as they are, for every other value its kind only, since it can be a secret. */
export function describe(value: unknown): string {
  return typeof value === "number" ? String(value) : kindOf(value);
}

/** The fault of a value of the wrong JavaScript type. */
export function mistyped(value: unknown, expected: string): Fault {
  return new Fault(describe(value), expected, true);
}

/** The error of bytes that break the protocol. `action` ends with the name of the thing that was found to be wrong. */
export function wireError(action: string, found: unknown, expected: string): TeleQuickError {
  return new TeleQuickError("ERR_WIRE_INVALID", sentence(action, found, expected));
}

/** The error of a value that does not fit. */
export function valueError(action: string, found: unknown, expected: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", sentence(action, found, expected));
}

/** The error of a value of the wrong type. */
export function typeError(action: string, found: unknown, expected: string): TypeError {
  return new TypeError(sentence(action, found, expected));
}

function sentence(action: string, found: unknown, expected: string): string {
  return `Cannot ${action} is ${found}, expected ${expected}`;
}

/** Throws a `TypeError` unless the value is a `Uint8Array`. The message is built only then: this is called for every message. */
export function requireBytes(value: unknown, verb: string, noun: string, part = "input"): void {
  if (isBytes(value)) return;
  throw typeError(`${verb} ${noun}: ${part}`, describe(value), "a Uint8Array");
}
