/**
 * Events of calls: each delivered once, to its call and to every listener.
 *
 * @module
 */

import { Queue } from "../../base/queue.ts";
import type { CallEvent } from "../../wire/mod.ts";

/** Receives the events of one call. */
export interface EventSink {
  deliver(event: CallEvent): void;
}

// Memory of calls that are not registered, and of what was seen: the oldest is forgotten first.
const MAX_REMEMBERED_CALLS = 4_096;
const MAX_EVENTS_PER_CALL = 64;
const MAX_EARLY_EVENTS = 4_096;
const LISTENER_CAPACITY = 4_096;
// All of it together, and one slow listener's queue: an event of a call has a few hundred bytes.
const MAX_REMEMBERED_BYTES = 8 * 1024 * 1024;
/** The most bytes of events that wait for one listener. */
export const LISTENER_BYTES: number = 8 * 1024 * 1024;

/** About how much memory an event takes. */
export function eventBytes(event: CallEvent): number {
  const { callSid, status, recordingUrl, trunkId, tenantId, codec, clientId } = event;
  const texts = [callSid, status, recordingUrl, trunkId, tenantId, codec, clientId];
  return texts.reduce((sum, text) => sum + 2 * text.length, 256);
}

interface Memory {
  /** `event_type`, status and time of what was delivered: deliveries are at least once. */
  readonly seen: Set<string>;
  /** What came before the call was registered: events can outrun the reply of `dial`. */
  readonly early: CallEvent[];
  bytes: number;
}

/** Routes events by `callSid`; drops the second delivery of the same event. */
export class EventHub {
  readonly #sinks = new Map<string, EventSink>();
  readonly #memory = new Map<string, Memory>();
  readonly #listeners = new Set<Queue<CallEvent>>();
  #early = 0;
  #bytes = 0;
  #received = 0;
  #duplicated = 0;
  #end: { readonly error: unknown } | undefined;

  /** How many events came, and how many of them a second time: those were dropped. */
  counts(): { readonly received: number; readonly duplicated: number } {
    return { received: this.#received, duplicated: this.#duplicated };
  }

  /** Takes one event off the wire. */
  accept(event: CallEvent): void {
    if (this.#end !== undefined) return;
    this.#received++;
    const memory = this.#remember(event.callSid);
    const key = `${event.eventType}\0${event.status}\0${event.timestampMs}`;
    if (memory.seen.has(key)) {
      this.#duplicated++;
      return;
    }
    if (memory.seen.size >= MAX_EVENTS_PER_CALL) {
      const oldest = first(memory.seen);
      memory.seen.delete(oldest);
      this.#weigh(memory, -bytesOfKey(oldest));
    }
    memory.seen.add(key);
    this.#weigh(memory, bytesOfKey(key));
    const sink = this.#sinks.get(event.callSid);
    if (sink !== undefined) sink.deliver(event);
    else this.#keep(memory, event);
    this.#makeRoom(memory);
    for (const listener of this.#listeners) listener.push(event);
  }

  /** Sends a call's events to `sink`, those first that came before it was known. */
  register(callSid: string, sink: EventSink): void {
    this.#sinks.set(callSid, sink);
    const memory = this.#memory.get(callSid);
    const early = memory === undefined ? [] : this.#takeEarly(memory);
    for (const event of early) sink.deliver(event);
  }

  /** Stops sending a call's events to `sink`. `history` is kept for a later registration. */
  unregister(callSid: string, sink: EventSink, history: readonly CallEvent[] = []): void {
    if (this.#sinks.get(callSid) === sink) this.#sinks.delete(callSid);
    for (const event of history) this.#keep(this.#remember(callSid), event);
  }

  /** A new listener to every event from now on; ends with `break`, or with the client. */
  listen(): Queue<CallEvent> {
    const listener: Queue<CallEvent> = new Queue({
      capacity: LISTENER_CAPACITY,
      ...{ bytesOf: eventBytes, capacityBytes: LISTENER_BYTES },
      overflow: "drop-oldest",
      onEnd: () => this.#listeners.delete(listener),
    });
    if (this.#end === undefined) this.#listeners.add(listener);
    else finish(listener, this.#end.error);
    return listener;
  }

  /** Ends every listener: with `error` where there is one. */
  end(error: unknown): void {
    this.#end ??= { error };
    for (const listener of this.#listeners) finish(listener, error);
    this.#sinks.clear();
    this.#memory.clear();
    this.#early = 0;
    this.#bytes = 0;
  }

  /** The memory of a call; the call whose last event is the oldest is forgotten for a new one. */
  #remember(callSid: string): Memory {
    const memory = this.#memory.get(callSid) ?? { seen: new Set(), early: [], bytes: 0 };
    this.#memory.delete(callSid);
    if (this.#memory.size >= MAX_REMEMBERED_CALLS) this.#forget(first(this.#memory.keys()));
    this.#memory.set(callSid, memory);
    return memory;
  }

  /** Keeps an event for a call that can still be registered. */
  #keep(memory: Memory, event: CallEvent): void {
    if (memory.early.length >= MAX_EVENTS_PER_CALL) return;
    memory.early.push(event);
    this.#weigh(memory, eventBytes(event));
    if (++this.#early <= MAX_EARLY_EVENTS) return;
    for (const each of this.#memory.values()) {
      if (each.early.length === 0) continue;
      this.#takeEarly(each);
      return;
    }
  }

  #forget(callSid: string): void {
    const memory = this.#memory.get(callSid);
    if (memory === undefined) return;
    this.#early -= memory.early.length;
    this.#bytes -= memory.bytes;
    this.#memory.delete(callSid);
  }

  #takeEarly(memory: Memory): CallEvent[] {
    const early = memory.early.splice(0);
    this.#early -= early.length;
    for (const event of early) this.#weigh(memory, -eventBytes(event));
    return early;
  }

  #weigh(memory: Memory, bytes: number): void {
    memory.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Forgets the calls whose last event is the oldest, until all that is remembered has room. */
  #makeRoom(newest: Memory): void {
    if (this.#bytes <= MAX_REMEMBERED_BYTES) return;
    for (const [callSid, memory] of this.#memory) {
      if (this.#bytes <= MAX_REMEMBERED_BYTES || memory === newest) return;
      this.#forget(callSid);
    }
  }
}

function bytesOfKey(key: string): number {
  return 2 * key.length + 64;
}

function first(keys: Iterable<string>): string {
  for (const key of keys) return key;
  return "";
}

function finish(listener: Queue<CallEvent>, error: unknown): void {
  if (error === undefined) listener.close();
  else listener.fail(error);
}
