/**
 * The client as an interface.
 *
 * @module
 */

import type { TeleQuickClient } from "./client.ts";

/**
 * What a {@linkcode TeleQuickClient} offers, without its private parts: the type to ask for in code whose tests pass a double.
 *
 * @example
 * ```ts
 * import type { TeleQuickClientLike } from "@telequick/sdk";
 *
 * async function greet(client: Pick<TeleQuickClientLike, "dial">, to: string): Promise<string> {
 *   return (await client.dial({ to, trunkId: "main" })).callSid;
 * }
 * ```
 */
export interface TeleQuickClientLike extends Omit<TeleQuickClient, symbol> {
  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}
