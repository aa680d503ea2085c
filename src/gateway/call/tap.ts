/**
 * Listeners to both sides of a call.
 *
 * @module
 */

/** A listener to both sides of a call. */
export interface Tap {
  /** Hears the far end. */
  caller(payload: Uint8Array, codec: string): void;
  /** Hears the client. */
  agent(payload: Uint8Array, codec: string): void;
}
