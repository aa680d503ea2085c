/**
 * Promises that may be left alone.
 *
 * @module
 */

import { ignore } from "./ignore.ts";

/**
 * Returns the promise as it is, marked as handled: when nothing waits for it, its rejection does not end the process. For verbs on
 * things that end in the normal course of life, such as a call.
 */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}
