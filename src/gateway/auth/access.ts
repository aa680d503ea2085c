/**
 * What a session can do with which call. One table holds all of it; the [table of scopes](../SCOPES.md) explains it.
 *
 * A token without a scope can do everything in its tenant. A token with one can do what its words allow, and a word that is not in the
 * table allows nothing.
 *
 * @module
 */

import type { ScopeWord } from "../../token/mod.ts";
import type { Principal } from "./principal.ts";

/** What can be done with a call. */
export type Right = "see" | "listen" | "speak" | "control" | "barge" | "answer" | "supervise";

/** The words that give a right: on the session's own calls, on incoming calls that are not answered, and on every call. */
interface Grant {
  readonly own?: readonly ScopeWord[];
  readonly waiting?: readonly ScopeWord[];
  readonly every?: readonly ScopeWord[];
}

const OWN: readonly ScopeWord[] = ["call.dial", "call.answer"];

/** The table of scopes, call by call. */
export const grants: Readonly<Record<Right, Grant>> = {
  /** Lists and events. */
  see: { own: OWN, waiting: ["call.answer"], every: ["call.read"] },
  /** Audio from the call. */
  listen: { own: OWN, every: ["call.listen"] },
  /** Audio into the call. */
  speak: { own: OWN, every: ["call.speak"] },
  /** Terminate, ExecuteDialplan, AllocateWt, bucket actions. */
  control: { own: OWN },
  barge: { own: ["call.barge"] },
  answer: { waiting: ["call.answer"] },
  supervise: { every: ["telephony:supervise"] },
};

/** Whose a call or a campaign is. */
export interface Owner {
  /** Differs between owners. */
  readonly id: string;
  /** The space in which its client id counts. */
  readonly space: string;
}

/** What a right depends on. */
export interface Subject {
  /** `undefined` for an incoming call that no client has answered. */
  readonly owner: Owner | undefined;
  /** Whether it is an incoming call that are not answered. */
  readonly isWaiting: boolean;
}

// RFC 9562 section 5.4.
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
// More than a client has; the oldest is forgotten first.
const MOST_CLIENT_IDS = 64;

/** What one session can do. */
export class Access {
  /**
   * The space in which its client ids count: one for all tokens without a scope, one for each `end_user`, one for tokens with a scope and
   * without an `end_user`. A session receives nothing by a client id of another space.
   */
  readonly space: string;
  readonly #scope: ReadonlySet<string> | undefined;
  readonly #endUser: string | undefined;
  readonly #sessionId: string;
  /** Client ids that it has shown, where they prove what is its own. */
  #shown: Set<string> | undefined;

  /**
   * Reads the principal's scope.
   *
   * @param principal Whose session it is.
   * @param session The session's number, unique in this gateway.
   */
  constructor({ scope, endUser }: Pick<Principal, "scope" | "endUser">, session: number) {
    this.#scope = scope;
    this.#endUser = endUser;
    this.#sessionId = `session\0${session}`;
    this.space = scope === undefined ? "" : endUser === undefined ? "scoped" : `user\0${endUser}`;
  }

  /** Whether a scope limits it. */
  get isLimited(): boolean {
    return this.#scope !== undefined;
  }

  /** Whether any of these words allows it. */
  allowsAny(words: readonly ScopeWord[]): boolean {
    const scope = this.#scope;
    return scope === undefined || words.some((word) => scope.has(word));
  }

  /**
   * Whether it can use a client id. Without an `end_user` the client id is all that proves whose a call is, so it has to be one that cannot
   * be guessed: a random UUID.
   */
  takesClientId(clientId: string): boolean {
    return this.space !== "scoped" || clientId === "" || UUID_V4.test(clientId);
  }

  /** Remembers a client id that the session has shown. */
  show(clientId: string): void {
    if (this.space !== "scoped" || clientId === "") return;
    const shown = this.#shown ??= new Set();
    shown.delete(clientId);
    shown.add(clientId);
    if (shown.size <= MOST_CLIENT_IDS) return;
    for (const oldest of shown) return void shown.delete(oldest);
  }

  /** Whose a call is that this session dials or answers under a client id. */
  ownerOf(clientId: string): Owner {
    const { space } = this;
    if (this.#endUser !== undefined) return { id: `user\0${this.#endUser}`, space };
    if (this.#scope === undefined) return { id: "", space };
    return { id: clientId === "" ? this.#sessionId : `client\0${clientId}`, space };
  }

  /** Whether something is its own. Everything is where no scope limits it. */
  owns(owner: Owner | undefined): boolean {
    if (this.#scope === undefined) return true;
    if (owner === undefined) return false;
    if (this.#endUser !== undefined) return owner.id === `user\0${this.#endUser}`;
    return owner.id === this.#sessionId ||
      (owner.id.startsWith("client\0") &&
        this.#shown?.has(owner.id.slice("client\0".length)) === true);
  }

  /** Whether it can do something with a call. */
  may(right: Right, { owner, isWaiting }: Subject): boolean {
    if (this.#scope === undefined) return true;
    const { own = [], waiting = [], every = [] } = grants[right];
    return this.allowsAny(every) || (isWaiting && this.allowsAny(waiting)) ||
      (this.allowsAny(own) && this.owns(owner));
  }
}
