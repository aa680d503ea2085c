/**
 * All audio links of a client: which stream carries whose frames, and how they move when the session does.
 *
 * @module
 */

import { ByteRoom } from "../../base/bytes.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import type { AudioFrame } from "../../wire/mod.ts";
import { type AudioLink, type AudioOptions, type AudioTotals, sumAudio } from "./audio_link.ts";
import type { Connection } from "../session/connection.ts";
import { EarlyAudio } from "./early_audio.ts";
import { Pacer } from "./pacer.ts";
import type { SendLane } from "./send.ts";
import type { PendingFrame } from "./outgoing_frame.ts";
import { SendStream } from "./send_stream.ts";

/** What takes the frames of one call. */
export interface FrameSink {
  /** Takes a frame off the wire of `session`, which arrived at `now`. */
  accept(frame: AudioFrame, now: number, session: unknown): void;
}

/** A link, with what the client needs of it besides what users see. */
export interface AudioRoute extends AudioLink {
  /** When the last frame arrived, on the monotonic clock; `undefined` before the first. */
  readonly heardAt: number | undefined;
  /** How many of its frames are kept while its stream cannot be written. */
  readonly pendingFrames: number;
  /** The call was answered: what waits for that is sent. */
  answered(): void;
  /** Throws `ERR_VALUE_INVALID` when options ask for another link than this one. */
  checkOptions(options: AudioOptions): void;
  /** Resolves when the end of what was said has been played, where only that is left; within a tenth of a second. */
  lastWord(): Promise<void>;
  /** The call has ended. */
  hungUp(): void;
  /** Closes, without waiting for an answer. */
  leave(): Promise<void>;
  /** Ends at once. */
  end(error?: TeleQuickError): void;
}

/** Options of an {@linkcode AudioHub}. */
export interface AudioHubOptions {
  readonly clock: Clock;
  /** One stream per call, as the protocol's documentation says, or one per session, as existing SDKs do. */
  readonly streams: "call" | "shared";
  /** The session to send on: the open one, or the next. */
  readonly connection: () => Promise<Connection>;
  readonly barge: (callSid: string) => Promise<void>;
  /** Timers are held back: the ticks of the schedule come late one after another. */
  readonly onThrottled?: () => void;
}

// A stream that fails on a living session was reset by the gateway, unless the session turns out to be dying.
const RESET_GRACE_MS = 1_000;

// A call keeps up to ten frames, each of which can hold a buffer when the calls beside it have ended: so it has room for four.
const FRAME_ROOM_BYTES = 1024;
// A write is over soon.
const WRITE_ROOM_BYTES = 16 * 1024;

interface Lane {
  uplink: SendStream;
  /** Nothing more will be sent: what waits goes out, and the stream is finished, on this session or the next. */
  isFinished: boolean;
  /** Whether something was added since the last write. */
  isTouched: boolean;
  readonly key: string;
  readonly links: Set<AudioRoute>;
  /** How many frames of all of them wait at the most. */
  capacity: number;
  connection: Connection | undefined;
  /** The streams before this one, which can still be writing: numbers only rise. */
  before: SendStream[];
}

/** What keeps the lanes. */
interface LaneKeeper {
  laneOf(link: AudioRoute): Lane;
  append(lane: Lane, frame: PendingFrame): void;
  flush(lane: Lane): void;
  finish(lane: Lane): Promise<void>;
}

/** A link's lane, looked up with its first frame: at 10,000 frames a second looking it up for each is a fair part of what they cost. */
class LinkLane implements SendLane {
  readonly #keeper: LaneKeeper;
  readonly #link: AudioRoute;
  #lane: Lane | undefined;

  constructor(keeper: LaneKeeper, link: AudioRoute) {
    this.#keeper = keeper;
    this.#link = link;
  }

  append(frame: PendingFrame): void {
    let lane = this.#lane;
    if (lane === undefined || lane.isFinished) lane = this.#lane = this.#keeper.laneOf(this.#link);
    this.#keeper.append(lane, frame);
  }

  flush(): void {
    if (this.#lane !== undefined) this.#keeper.flush(this.#lane);
  }

  recall(owner: unknown): void {
    const lane = this.#lane;
    if (lane === undefined) return;
    for (const uplink of [...lane.before, lane.uplink]) uplink.recall(owner);
  }

  async finish(): Promise<void> {
    if (this.#lane !== undefined) await this.#keeper.finish(this.#lane);
  }
}

/** Owns the outgoing streams, routes incoming frames. */
export class AudioHub {
  readonly clock: Clock;
  readonly pacer: Pacer;
  /** Where the bytes of frames are put. */
  readonly frameRoom: ByteRoom = new ByteRoom(FRAME_ROOM_BYTES);
  readonly #options: AudioHubOptions;
  readonly #links = new Map<string, AudioRoute>();
  // By call, too: a link has much that its frames do not come to.
  readonly #sinks = new Map<string, FrameSink>();
  readonly #lanes = new Map<string, Lane>();
  // Lanes to which something was added since they were last written.
  readonly #touched: Lane[] = [];
  // Lanes of links that have ended, while something of theirs waits to be sent.
  readonly #finishing = new Set<Lane>();
  readonly #lanesOf: LaneKeeper = {
    laneOf: (link) => this.#laneOf(link),
    append: (lane, frame) => this.#append(lane, frame),
    flush: (lane) => this.#flush(lane),
    finish: async (lane) => {
      this.#flush(lane);
      if (this.#options.streams === "call") await this.#finish(lane);
    },
  };
  readonly #room = new ByteRoom(WRITE_ROOM_BYTES);
  readonly #early = new EarlyAudio();
  #isOver = false;
  #ended = sumAudio([]);

  constructor(options: AudioHubOptions) {
    this.#options = options;
    this.clock = options.clock;
    const { clock, onThrottled } = options;
    this.pacer = new Pacer({ clock, onThrottled, onTicked: () => this.#flushTouched() });
  }

  /** What all links have sent and received, those that have ended included. */
  totals(): AudioTotals {
    const links = [...this.#links.values()].map((link) => link.stats());
    return {
      ...sumAudio([this.#ended, ...links]),
      links: links.length,
      unrouted: this.#early.dropped,
      lateTicks: this.pacer.lateTotal,
    };
  }

  /** Cuts the playback of a call at the gateway. */
  barge(callSid: string): Promise<void> {
    return this.#options.barge(callSid);
  }

  /** Adds a link, and where its frames go that come in. A call has one at a time; `isAnother` when it had one before. */
  add(link: AudioRoute, sink: FrameSink, isAnother: boolean): void {
    const { callSid } = link;
    this.#links.set(callSid, link);
    this.#sinks.set(callSid, sink);
    for (const { frame, now, session } of this.#early.take(callSid)) {
      sink.accept(frame, now, session);
    }
    const lane = this.#lanes.get(this.#laneKey(link));
    if (!isAnother || lane === undefined) return;
    // Of a call whose end a stream has carried nothing more counts there: a shared one goes on as another, when what waits has left.
    const before = lane.uplink;
    lane.before.push(before);
    const finished = before.finish().then(() => {
      dropUnsent(before);
      lane.before = lane.before.filter((other) => other !== before);
    });
    lane.uplink = this.#open(lane, finished);
  }

  /** The links that are open. */
  links(): Iterable<AudioRoute> {
    return this.#links.values();
  }

  /** The link of a call, if it has one. */
  get(callSid: string): AudioRoute | undefined {
    return this.#links.get(callSid);
  }

  /** Removes a link that has ended. */
  remove(link: AudioRoute): void {
    if (this.#links.get(link.callSid) === link) {
      this.#links.delete(link.callSid);
      this.#sinks.delete(link.callSid);
      this.#early.refuse(link.callSid);
      this.#ended = sumAudio([this.#ended, link.stats()]);
    }
    const lane = this.#lanes.get(this.#laneKey(link));
    if (lane === undefined || !lane.links.delete(link)) return;
    lane.capacity = capacityOf(lane.links);
    if (lane.links.size > 0) return;
    if (this.#options.streams === "shared") return;
    void this.#finish(lane);
  }

  /** Takes a frame off the wire of `session`, which arrived at `now`. */
  accept(frame: AudioFrame, now: number, session: unknown): void {
    const sink = this.#sinks.get(frame.callSid);
    if (sink === undefined) this.#early.keep(frame, now, session);
    else sink.accept(frame, now, session);
  }

  /** A call has ended: nothing is kept for it any more. */
  forget(callSid: string): void {
    this.#early.forget(callSid);
  }

  /** Where a link's frames go. */
  laneFor(link: AudioRoute): SendLane {
    return new LinkLane(this.#lanesOf, link);
  }

  /** Moves every outgoing stream to the session that is open now; what was not written goes along, in order. */
  move(): void {
    for (const lane of this.#lanes.values()) this.#reopen(lane);
  }

  /** Ends every link. */
  end(error: TeleQuickError | undefined): void {
    this.#isOver = true;
    for (const link of [...this.#links.values()]) link.end(error);
    for (const lane of this.#lanes.values()) void lane.uplink.finish();
    this.#lanes.clear();
    this.#finishing.clear();
  }

  /** Says the end of every link's stream, after what was written; for a client that closes. */
  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.leave()));
  }

  /** Adds a frame to what a lane's stream writes next. */
  #append(lane: Lane, frame: PendingFrame): void {
    lane.uplink.append(frame);
    if (lane.isTouched) return;
    lane.isTouched = true;
    this.#touched.push(lane);
  }

  /** Writes what a lane's stream has collected. */
  #flush(lane: Lane): void {
    lane.isTouched = false;
    // Outside a tick it is the only one.
    if (this.#touched.at(-1) === lane) this.#touched.pop();
    lane.uplink.flush();
  }

  /** Writes what all streams have collected in a tick. */
  #flushTouched(): void {
    for (const lane of this.#touched.splice(0)) {
      lane.isTouched = false;
      lane.uplink.flush();
    }
  }

  #laneKey(link: AudioRoute): string {
    return this.#options.streams === "shared" ? "" : link.callSid;
  }

  #laneOf(link: AudioRoute): Lane {
    const key = this.#laneKey(link);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#dropUnsent(key);
      const links = new Set<AudioRoute>();
      lane = {
        uplink: undefined as unknown as SendStream,
        isFinished: false,
        isTouched: false,
        key,
        links,
        capacity: LEAST_PENDING,
        connection: undefined,
        before: [],
      };
      lane.uplink = this.#open(lane);
      this.#lanes.set(key, lane);
    }
    if (!lane.links.has(link)) {
      lane.links.add(link);
      lane.capacity = capacityOf(lane.links);
    }
    return lane;
  }

  /** What an earlier link of the same call has not sent must not be sent after newer frames: numbers only rise. */
  #dropUnsent(key: string): void {
    for (const lane of this.#finishing) {
      if (lane.key !== key) continue;
      dropUnsent(lane.uplink);
      this.#finishing.delete(lane);
    }
  }

  async #finish(lane: Lane): Promise<void> {
    lane.isFinished = true;
    if (this.#lanes.get(lane.key) === lane) this.#lanes.delete(lane.key);
    this.#finishing.add(lane);
    const { uplink } = lane;
    await uplink.finish();
    if (uplink.isEmpty) this.#finishing.delete(lane);
  }

  #open(lane: Lane, after?: Promise<void>): SendStream {
    lane.connection = undefined;
    const uplink: SendStream = new SendStream({
      room: this.#room,
      capacity: () => lane.capacity,
      open: async () => {
        await after;
        const connection = await this.#options.connection();
        lane.connection = connection;
        return await connection.session.openUnidirectional({ signal: connection.over });
      },
      // One that was replaced has nothing left to lose.
      onFailure: (error) => lane.uplink === uplink && this.#recover(lane, error),
    });
    return uplink;
  }

  #reopen(lane: Lane): void {
    for (const before of lane.before) dropUnsent(before);
    lane.before = [];
    const before = lane.uplink;
    const waiting = before.take();
    void before.finish();
    if (lane.isFinished && waiting.length === 0) return;
    lane.uplink = this.#open(lane);
    for (const frame of waiting) lane.uplink.append(frame);
    if (lane.isFinished) void this.#finish(lane);
  }

  #recover(lane: Lane, error: unknown): void {
    const failed = lane.uplink;
    const connection = lane.connection;
    // Without a session there is nothing to move to: the next one asks for every lane.
    if (connection === undefined || this.#isOver) return;
    const retry = (): void => {
      cancel();
      if (lane.uplink === failed && !this.#isOver) this.#reopen(lane);
    };
    const giveUp = (): void => {
      connection.over.removeEventListener("abort", retry);
      if (lane.uplink !== failed) return;
      const end = new TeleQuickError(
        "ERR_SESSION_CLOSED",
        "Cannot send audio: the gateway reset the stream of this call",
        { cause: error },
      );
      for (const link of [...lane.links]) link.end(end);
      // A shared one ends with them: the next call has another.
      if (!lane.isFinished) void this.#finish(lane);
      this.#finishing.delete(lane);
    };
    const cancel = this.clock.schedule(RESET_GRACE_MS, giveUp);
    if (connection.over.aborted) retry();
    else connection.over.addEventListener("abort", retry);
  }
}

// What is kept of a link that has ended.
const LEAST_PENDING = 10;

function capacityOf(links: ReadonlySet<AudioRoute>): number {
  let frames = 0;
  for (const { pendingFrames } of links) frames += pendingFrames;
  return frames === 0 ? LEAST_PENDING : frames;
}

function dropUnsent(uplink: SendStream): void {
  for (const frame of uplink.take()) frame.dropped();
}
