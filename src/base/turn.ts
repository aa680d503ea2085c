/**
 * Turns of the event loop.
 *
 * @module
 */

interface Scope {
  setImmediate?(callback: () => void): unknown;
  readonly MessageChannel?: typeof MessageChannel;
}

// Taken when the module is loaded: test runners put fakes of their own in their place later. jsdom has neither.
const { setImmediate: immediate, MessageChannel: Channel } = globalThis as Scope;
const later = setTimeout;

/** Waits for one turn of the event loop: all that hangs on promises alone has run by then. No clock moves it. */
export function eventLoopTurn(): Promise<void> {
  if (immediate !== undefined) return new Promise((resolve) => immediate(resolve));
  if (Channel === undefined) return new Promise((resolve) => void later(resolve, 0));
  return new Promise((resolve) => {
    const { port1, port2 } = new Channel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
