/**
 * Methods, and how to find one by the id of a frame.
 *
 * @module
 */

import type { Message } from "./message.ts";
import * as methods from "./methods.ts";

/** A method: the id of its frames, its request and its reply. [PROTOCOL.md](./PROTOCOL.md#5-methods) lists all of them. */
export interface Method<Q, R> {
  /** The protocol's own name. */
  readonly name: string;
  /** The id that is written (uint32). To speak to a gateway with another id, spread the method and set it. */
  readonly id: number;
  /** The message of the request or of the push. */
  readonly request: Message<Q>;
  /** The message of the reply; `undefined` for a push, which has no reply. */
  readonly reply: Message<R> | undefined;
}

type Ids = Readonly<Record<number, number>>;
type ById = ReadonlyMap<number, Method<unknown, unknown>>;

// Ids that are read and never written: that of ExecuteDialplan in the documentation, that of SuperviseSubscribe in later SDKs, and those
// that audio and events had before ids were derived from names.
const OTHER_REQUEST_IDS: Ids = { 3514036100: 80147304, 425376200: 2856173042 };
const OTHER_PUSH_IDS: Ids = { 9999: 2991054320, 10000: 959835745 };

let requests: ById | undefined;
let pushes: ById | undefined;

/** The method that a request frame asks for; `undefined` for an unknown id. Ids that only other SDKs write are found too. */
export function methodById(id: number): Method<unknown, unknown> | undefined {
  requests ??= index(false);
  return requests.get(OTHER_REQUEST_IDS[id] ?? id);
}

/** The push that a frame of a one-way stream carries; `undefined` for an unknown id. The former ids 9999 and 10000 are found too. */
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
