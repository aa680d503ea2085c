/**
 * Counts operations that end at a moment which no clock knows: cryptography on the runtime's own threads, files, streams in memory.
 * A fake clock has to wait for them before it moves on. Nothing is counted until a fake clock asks for it.
 *
 * @module
 */

/** What has been counted. */
export interface OperationCounter {
  /** Operations that have begun and not ended. */
  pending: number;
  /** How often anything has moved: an operation ended, a chunk went from one side of a stream to the other. */
  moves: number;
}

// A global, so that every copy of this module counts the same: `./token` has one of its own, and a program may load the package twice.
interface Scope {
  telequickOperations?: OperationCounter;
}

/** The counter of this program, from now on. */
export function countOperations(): OperationCounter {
  return (globalThis as Scope).telequickOperations ??= { pending: 0, moves: 0 };
}

/** Counts an operation, where anything counts. Returns the promise that it was given. */
export function counted<T>(operation: Promise<T>): Promise<T> {
  const { telequickOperations: counter } = globalThis as Scope;
  if (counter === undefined) return operation;
  counter.pending++;
  const end = (): void => {
    counter.pending--;
    counter.moves++;
  };
  operation.then(end, end);
  return operation;
}

/** Notes that a chunk has moved, where anything counts. */
export function moved(): void {
  const { telequickOperations: counter } = globalThis as Scope;
  if (counter !== undefined) counter.moves++;
}
