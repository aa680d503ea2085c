/**
 * Turns of the event loop.
 *
 * @module
 */

interface Scope {
  setImmediate?(callback: () => void): unknown;
}

// Taken when the module is loaded: test runners put fakes of their own in its place later.
const { setImmediate: immediate } = globalThis as Scope;
const Channel = MessageChannel;

/** Waits for one turn of the event loop: all that hangs on promises alone has run by then. No clock moves it. */
export function eventLoopTurn(): Promise<void> {
  if (immediate !== undefined) return new Promise((resolve) => immediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new Channel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
