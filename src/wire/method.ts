/**
 * What a method is, and how a frame's id leads to it.
 *
 * @module
 */

import type { Message } from "./message.ts";
import * as methods from "./methods.ts";

/** A method: what a frame's id stands for, and what goes each way. */
export interface Method<Q, R> {
  /** The protocol's own name. */
  readonly name: string;
  /** The id that is written (uint32). To speak to a gateway with another id, spread the method and set it. */
  readonly id: number;
  /** What the request, or the push, carries. */
  readonly request: Message<Q>;
  /** What the reply carries; `undefined` for a push, which is never answered. */
  readonly reply: Message<R> | undefined;
}

type Ids = Readonly<Record<number, number>>;
type ById = ReadonlyMap<number, Method<unknown, unknown>>;

// Ids that are read and never written: the documentation's for ExecuteDialplan, the later SDKs' for SuperviseSubscribe; and those
// that audio and events had before ids were derived from names.
const OTHER_REQUEST_IDS: Ids = { 3514036100: 80147304, 425376200: 2856173042 };
const OTHER_PUSH_IDS: Ids = { 9999: 2991054320, 10000: 959835745 };

let requests: ById | undefined;
let pushes: ById | undefined;

/** The method that a request frame asks for; `undefined` for an unknown id. Ids that other SDKs write are known too. */
export function methodById(id: number): Method<unknown, unknown> | undefined {
  requests ??= index(false);
  return requests.get(OTHER_REQUEST_IDS[id] ?? id);
}

/** The push that a frame of a one-way stream carries; `undefined` for an unknown id. The old ids 9999 and 10000 are known too. */
export function pushById(id: number): Method<unknown, unknown> | undefined {
  pushes ??= index(true);
  return pushes.get(OTHER_PUSH_IDS[id] ?? id);
}

function index(isPush: boolean): ById {
  const byId = new Map<number, Method<unknown, unknown>>();
  for (const method of Object.values<Method<unknown, unknown>>(methods)) {
    if ((method.reply === undefined) === isPush) byId.set(method.id, method);
  }
  return byId;
}
