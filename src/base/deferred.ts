/**
 * Promises that are settled from outside.
 *
 * @module
 */

import { ignore } from "./ignore.ts";

/** A promise and the functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Makes a promise that is settled from outside. A rejection that nothing waits for is not reported as unhandled. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = ignore;
  let reject: (error: unknown) => void = ignore;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(ignore);
  return { promise, resolve, reject };
}

/** A {@linkcode Deferred} whose promise is made when it is asked for: most of a call's are never waited for. */
export class LateDeferred<T> implements Deferred<T> {
  #promise: Promise<T> | undefined;
  // While the promise is there and not settled.
  #pending: Deferred<T> | undefined;
  // The first one counts.
  #outcome: { readonly value: T } | { readonly error: unknown } | undefined;

  get promise(): Promise<T> {
    if (this.#promise === undefined) {
      this.#pending = deferred<T>();
      this.#promise = this.#pending.promise;
      this.#settle();
    }
    return this.#promise;
  }

  resolve(value: T): void {
    this.#outcome ??= { value };
    this.#settle();
  }

  reject(error: unknown): void {
    this.#outcome ??= { error };
    this.#settle();
  }

  #settle(): void {
    if (this.#pending === undefined || this.#outcome === undefined) return;
    if ("value" in this.#outcome) this.#pending.resolve(this.#outcome.value);
    else this.#pending.reject(this.#outcome.error);
    this.#pending = undefined;
  }
}
