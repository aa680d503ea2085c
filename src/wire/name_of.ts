/**
 * Numbers back to names.
 *
 * @module
 */

/**
 * The name that a table such as `EventType` or `ErrorCode` gives to a number; `undefined` for a number that it does not know.
 *
 * @example Name an event
 * ```ts
 * import { EventType, nameOf } from "@telequick/sdk/wire";
 *
 * nameOf(EventType, 2); // "CHANNEL_ANSWER"
 * ```
 */
export function nameOf<N extends string>(
  table: Readonly<Record<N, number>>,
  value: number,
): N | undefined {
  for (const name in table) {
    if (table[name] === value) return name;
  }
  return undefined;
}
