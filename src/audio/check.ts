/**
 * Argument checks that the room's functions share.
 *
 * @module
 */

import { isArrayOf } from "../base/bytes.ts";
import { TeleQuickError } from "../base/errors.ts";

type SampleArrayType = Uint8ArrayConstructor | Int16ArrayConstructor | Float32ArrayConstructor;

/** Throws `TypeError` unless `value` is an array of the type that `action` works on. */
export function checkArray(value: unknown, type: SampleArrayType, action: string): void {
  if (isArrayOf<Uint8Array | Int16Array | Float32Array>(value, type)) return;
  throw new TypeError(`Cannot ${action}: found ${typeName(value)}, expected ${type.name}`);
}

/** Throws unless `value` is a number from `least` to `most`: `TypeError` for another type, `ERR_VALUE_INVALID` for another number. */
export function checkNumber(
  value: unknown,
  name: string,
  range: { readonly least: number; readonly most: number; readonly integer?: boolean },
  action: string,
): void {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${action}: ${name} is ${typeName(value)}, expected Number`);
  }
  const { least, most, integer = false } = range;
  if (value >= least && value <= most && (!integer || Number.isInteger(value))) return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot ${action}: ${name} is ${value}, expected ${
      integer ? "an integer" : "a number"
    } from ${least} to ${most}`,
  );
}

/** The part of `target` that `length` elements fill, all of it when it fits; throws `ERR_VALUE_INVALID` when it is too short. */
export function fitTarget<T extends Uint8Array | Int16Array>(
  target: T,
  length: number,
  action: string,
): T {
  if (target.length === length) return target;
  if (target.length > length) return target.subarray(0, length) as T;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot ${action}: the target holds ${target.length} elements, expected at least ${length}`,
  );
}

/** What a value is, in a word that shows nothing of its content: `Null`, `String`, `Float32Array`. */
export function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
