/**
 * Which sessions of one tenant receive what: by their client ids, and by what each is allowed.
 *
 * @module
 */

import type { CallEvent } from "../../wire/mod.ts";
import type { Access, Subject } from "../auth/access.ts";
import type { AudioSource } from "../call/audio_source.ts";
import type { Speech } from "../call/far_end.ts";

/** A session, as a tenant sees it. */
export interface Subscriber {
  /** The client ids that it subscribed with. */
  readonly clientIds: ReadonlySet<string>;
  /** What it can do. */
  readonly access: Access;
  /** Whether the session is still there. */
  readonly isLive: boolean;
  /** Takes an event. */
  event(event: CallEvent): void;
  /** Takes a packet of a call. */
  audio(source: AudioSource, speech: Speech, endOfStream: boolean): void;
  /** Drops a call's audio that waits. */
  hush(source: AudioSource): void;
}

/** The subscriptions of one tenant. */
export class Subscriptions {
  /** Called after every change. */
  readonly onChange: Set<() => void> = new Set();
  // By space, then by client id. The last one to subscribe holds the client id; when it goes, the one before holds it again.
  readonly #holders = new Map<string, Map<string, Subscriber[]>>();
  readonly #watchers = new Set<Subscriber>();
  // In the order of subscription: sessions that no scope limits, those whose scope lets them listen to every call, and each user's.
  readonly #unlimited = new Newest();
  readonly #listening = new Newest();
  readonly #bySpace = new Map<string, Newest>();

  /** Subscribes a session; the empty client id stands for every call that the session is allowed to see. The last one to subscribe wins. */
  add(subscriber: Subscriber, clientId: string): void {
    this.#add(subscriber, clientId);
    this.#changed();
  }

  /** Forgets a session. */
  remove(subscriber: Subscriber): void {
    this.#remove(subscriber);
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.onChange]) listener();
  }

  #add(subscriber: Subscriber, clientId: string): void {
    for (const list of this.#listsOf(subscriber)) list.add(subscriber);
    if (clientId === "") {
      this.#watchers.add(subscriber);
      return;
    }
    const { space } = subscriber.access;
    const holders = this.#holders.get(space) ?? new Map<string, Subscriber[]>();
    const others = holders.get(clientId)?.filter((other) => other !== subscriber) ?? [];
    this.#holders.set(space, holders.set(clientId, [...others, subscriber]));
  }

  #remove(subscriber: Subscriber): void {
    const { access, clientIds } = subscriber;
    for (const list of this.#listsOf(subscriber)) list.remove(subscriber);
    if (this.#bySpace.get(access.space)?.last() === undefined) this.#bySpace.delete(access.space);
    this.#watchers.delete(subscriber);
    const holders = this.#holders.get(access.space);
    if (holders === undefined) return;
    for (const clientId of clientIds) {
      const left = holders.get(clientId)?.filter((other) => other !== subscriber) ?? [];
      if (left.length === 0) holders.delete(clientId);
      else holders.set(clientId, left);
    }
    if (holders.size === 0) this.#holders.delete(access.space);
  }

  /** Which session receives the audio of a call under its client id. No session holds the empty one. */
  holderOf(subject: Subject, clientId: string): Subscriber | undefined {
    return this.#holdersOf(subject, clientId)
      ?.findLast(({ access }) => access.may("listen", subject));
  }

  /** The last session that subscribed, of those that are allowed to listen to a call. */
  newest(subject: Subject): Subscriber | undefined {
    // A user's own calls can have been dialled without a scope: then they are in another space than the user's sessions.
    const own = this.#bySpace.get(subject.owner?.id ?? "")
      ?.last(({ access }) => access.may("listen", subject));
    const found = [this.#unlimited.last(), this.#listening.last(), own];
    return found.reduce((one, other) => (one?.number ?? 0) > (other?.number ?? 0) ? one : other)
      ?.subscriber;
  }

  /**
   * Which sessions receive the events of a call: the one that holds its client id, else every subscriber; and those that subscribed with
   * the empty client id. Each only if it is allowed to see the call.
   */
  audience(subject: Subject, clientId: string): Set<Subscriber> {
    const maySee = ({ access }: Subscriber): boolean => access.may("see", subject);
    const audience = new Set([...this.#watchers].filter(maySee));
    const holder = this.#holdersOf(subject, clientId)?.findLast(maySee);
    if (holder !== undefined) return audience.add(holder);
    for (const holders of this.#holders.values()) {
      for (const others of holders.values()) {
        const other = others.findLast(maySee);
        if (other !== undefined) audience.add(other);
      }
    }
    return audience;
  }

  #holdersOf({ owner }: Subject, clientId: string): Subscriber[] | undefined {
    return this.#holders.get(owner?.space ?? "")?.get(clientId);
  }

  #listsOf({ access }: Subscriber): Newest[] {
    if (!access.isLimited) return [this.#unlimited];
    const ofSpace = this.#bySpace.get(access.space) ?? new Newest();
    this.#bySpace.set(access.space, ofSpace);
    return access.allowsAny(["call.listen"]) ? [ofSpace, this.#listening] : [ofSpace];
  }
}

interface Numbered {
  readonly subscriber: Subscriber;
  /** Rises with every subscription, over all lists. */
  readonly number: number;
}

let subscriptions = 0;

/** Subscribers by the time of their last subscription. */
class Newest {
  readonly #numbers = new Map<Subscriber, number>();
  // Asked for at every packet of a call that no session holds.
  #last: Numbered | undefined;

  add(subscriber: Subscriber): void {
    const number = ++subscriptions;
    this.#numbers.delete(subscriber);
    this.#numbers.set(subscriber, number);
    this.#last = { subscriber, number };
  }

  remove(subscriber: Subscriber): void {
    this.#numbers.delete(subscriber);
    if (this.#last?.subscriber !== subscriber) return;
    const [last] = [...this.#numbers].slice(-1);
    this.#last = last && { subscriber: last[0], number: last[1] };
  }

  /** The last one, of those that pass. */
  last(passes: (subscriber: Subscriber) => boolean = () => true): Numbered | undefined {
    if (this.#last === undefined || passes(this.#last.subscriber)) return this.#last;
    let found: Numbered | undefined;
    for (const [subscriber, number] of this.#numbers) {
      if (passes(subscriber)) found = { subscriber, number };
    }
    return found;
  }
}
