/**
 * Names of numbers.
 *
 * @module
 */

/**
 * The name of a number in a table such as `EventType` or `ErrorCode`; `undefined` for a number that the table does not have.
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

/** A number of a table, which an editor completes, or any other number, which a newer peer can send. */
export type NumberOf<T> = T[keyof T] | (number & Record<never, never>);
