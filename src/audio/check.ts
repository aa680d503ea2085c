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
  // With the name of its type, as in "Float32Array": nothing of its content.
  const found = Object.prototype.toString.call(value).slice(8, -1);
  throw new TypeError(`Cannot ${action}: found ${found}, expected ${type.name}`);
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
