/**
 * Promises that may be left alone, and functions of the user's whose faults end nothing.
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

/**
 * Calls a function of the user's that takes a report, such as `log` or `onError`. What it throws, or rejects with, is its own fault: the caller
 * goes on.
 *
 * @param onFault Takes the fault. Default: it is ignored.
 */
export function report(call: () => unknown, onFault: (fault: unknown) => void = ignore): void {
  try {
    // A function that is declared to return nothing may be asynchronous all the same.
    const returned = call() as { readonly then?: unknown } | null | undefined;
    if (typeof returned?.then === "function") Promise.resolve(returned).catch(onFault);
  } catch (fault) {
    onFault(fault);
  }
}
