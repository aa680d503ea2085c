/**
 * What a reader or writer throws inside the room; the message that runs it adds its own name and the field's, and makes the public error.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";

/** Why a field or an envelope cannot be encoded or decoded. Not an `Error`: no stack is taken for what hostile bytes cause. */
export class Fault {
  /** What was found and what was expected, without the subject: `is 1.5, expected an integer`. */
  readonly text: string;
  /** Whether the value has the wrong JavaScript type. */
  readonly wrongType: boolean;

  constructor(text: string, wrongType = false) {
    this.text = text;
    this.wrongType = wrongType;
  }
}

/** A fault for a value of the wrong type. The value itself is never quoted. */
export function typeFault(value: unknown, expected: string): Fault {
  return new Fault(`is ${describeType(value)}, expected ${expected}`, true);
}

/** The type of a value, for messages that must not quote it. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The error of bytes that break the protocol. */
export function wireError(action: string, found: string): TeleQuickError {
  return new TeleQuickError("ERR_WIRE_INVALID", `${action}: ${found}`);
}
