/**
 * Events of calls: each delivered once, to its call and to everyone who listens to all of them.
 *
 * @module
 */

import { Queue } from "../queue.ts";
import type { CallEvent } from "../wire/mod.ts";

/** Receives the events of one call. */
export interface EventSink {
  deliver(event: CallEvent): void;
}

// Memory of calls that nobody registered, and of what was seen: the oldest is forgotten first.
const MAX_REMEMBERED_CALLS = 4_096;
const MAX_EVENTS_PER_CALL = 64;
const LISTENER_CAPACITY = 4_096;

interface Memory {
  /** `event_type`, status and time of what was delivered: deliveries are at least once (protocol.md section 2.6). */
  readonly seen: Set<string>;
  /** What came before the call was registered: events may outrun the reply of `dial`. */
  readonly early: CallEvent[];
}

/** Routes events by `callSid`; drops the second delivery of the same event. */
export class EventHub {
  readonly #sinks = new Map<string, EventSink>();
  readonly #memory = new Map<string, Memory>();
  readonly #listeners = new Set<Queue<CallEvent>>();
  #received = 0;
  #duplicated = 0;
  #end: { readonly error: unknown } | undefined;

  /** How many events came, and how many of them a second time: those were dropped. */
  counts(): { readonly received: number; readonly duplicated: number } {
    return { received: this.#received, duplicated: this.#duplicated };
  }

  /** Takes one event off the wire. */
  accept(event: CallEvent): void {
    this.#received++;
    const memory = this.#remember(event.callSid);
    const key = `${event.eventType}\0${event.status}\0${event.timestampMs}`;
    if (memory.seen.has(key)) {
      this.#duplicated++;
      return;
    }
    if (memory.seen.size >= MAX_EVENTS_PER_CALL) memory.seen.clear();
    memory.seen.add(key);
    const sink = this.#sinks.get(event.callSid);
    if (sink !== undefined) sink.deliver(event);
    else if (memory.early.length < MAX_EVENTS_PER_CALL) memory.early.push(event);
    for (const listener of this.#listeners) listener.push(event);
  }

  /** Sends a call's events to `sink`, those first that came before it was known. */
  register(callSid: string, sink: EventSink): void {
    this.#sinks.set(callSid, sink);
    const early = this.#memory.get(callSid)?.early.splice(0) ?? [];
    for (const event of early) sink.deliver(event);
  }

  /** Stops sending a call's events to its sink. */
  unregister(callSid: string): void {
    this.#sinks.delete(callSid);
  }

  /** A new listener to every event from now on; ends with `break`, or with the client. */
  listen(): Queue<CallEvent> {
    const listener: Queue<CallEvent> = new Queue({
      capacity: LISTENER_CAPACITY,
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
  }

  #remember(callSid: string): Memory {
    let memory = this.#memory.get(callSid);
    if (memory === undefined) {
      memory = { seen: new Set(), early: [] };
      if (this.#memory.size >= MAX_REMEMBERED_CALLS) {
        const [oldest] = this.#memory.keys();
        this.#memory.delete(oldest!);
      }
      this.#memory.set(callSid, memory);
    }
    return memory;
  }
}

function finish(listener: Queue<CallEvent>, error: unknown): void {
  if (error === undefined) listener.close();
  else listener.fail(error);
}
