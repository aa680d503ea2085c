/**
 * Who hears what within one tenant: the sessions that subscribed, by their client ids.
 *
 * @module
 */

import type { CallEvent } from "../../wire/mod.ts";
import type { AudioSource } from "../call/audio_source.ts";
import type { Speech } from "../call/far_end.ts";

/** A session, as a tenant sees it. */
export interface Subscriber {
  /** The client ids that it subscribed with. */
  readonly clientIds: ReadonlySet<string>;
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
  // The last one to subscribe holds the client id; when it goes, the one before holds it again.
  readonly #holders = new Map<string, Subscriber[]>();
  readonly #watchers = new Set<Subscriber>();
  readonly #all = new Set<Subscriber>();
  // Asked for at every packet of a call that nobody else holds.
  #newest: Subscriber | undefined;

  /** Subscribes a session; the empty client id hears everything. Last one wins. */
  add(subscriber: Subscriber, clientId: string): void {
    this.#all.delete(subscriber);
    this.#all.add(subscriber);
    this.#newest = subscriber;
    if (clientId === "") {
      this.#watchers.add(subscriber);
      return;
    }
    const others = this.#holders.get(clientId)?.filter((other) => other !== subscriber) ?? [];
    this.#holders.set(clientId, [...others, subscriber]);
  }

  /** Forgets a session. */
  remove(subscriber: Subscriber): void {
    this.#all.delete(subscriber);
    if (this.#newest === subscriber) this.#newest = [...this.#all].at(-1);
    this.#watchers.delete(subscriber);
    for (const clientId of subscriber.clientIds) {
      const left = this.#holders.get(clientId)?.filter((other) => other !== subscriber) ?? [];
      if (left.length === 0) this.#holders.delete(clientId);
      else this.#holders.set(clientId, left);
    }
  }

  /** Who holds a client id; nobody holds the empty one. */
  holderOf(clientId: string): Subscriber | undefined {
    return this.#holders.get(clientId)?.at(-1);
  }

  /** The last session that subscribed. */
  newest(): Subscriber | undefined {
    return this.#newest;
  }

  /** Who hears the events of a call of this client id: its holder, else every subscriber; and who hears everything. */
  audience(clientId: string): Set<Subscriber> {
    const audience = new Set(this.#watchers);
    const holder = this.holderOf(clientId);
    if (holder !== undefined) return audience.add(holder);
    for (const holders of this.#holders.values()) audience.add(holders.at(-1)!);
    return audience;
  }
}
