/**
 * A tenant: its trunks, calls, campaigns and subscribers.
 *
 * @module
 */

import { ByteBudget } from "../../base/unfinished.ts";
import { type CallEvent, ErrorCode, EventType, type TrunkRecord } from "../../wire/mod.ts";

import { RateLimit } from "../rate_limit.ts";
import type { Access, Owner, Right, Subject } from "../auth/access.ts";
import { Call, type CallHost, type CallOptions } from "../call/call.ts";
import { RpcRefusal } from "../refusal.ts";
import { createRandom, deriveSeed, type Random } from "../../base/random.ts";
import type { Speech } from "../call/far_end.ts";
import { choosePhone, type FarEndPhone, type MakePhone } from "../call/phone/phone.ts";
import type { PhoneScript } from "../call/phone/phone_script.ts";
import { ScriptedPhone } from "../call/phone/scripted_phone.ts";
import { callerScript, scriptOf } from "../call/phone/test_numbers.ts";
import { type Subscriber, Subscriptions } from "./subscriptions.ts";
import { Ticker } from "../call/ticker.ts";
import { type Dialled, FarEndRefusal, type Memory, type TenantCampaign } from "./records.ts";
import { Trunks } from "./trunks.ts";
import { WorkBudget } from "./work_budget.ts";
import type { GatewayServices } from "../services.ts";

export type { Dialled, TenantCampaign } from "./records.ts";

/** One tenant of the gateway. */
export class Tenant {
  readonly tenantId: string;
  readonly trunks: Trunks;
  readonly subscriptions: Subscriptions = new Subscriptions();
  /** A generator of its own, as the ticker is: nothing that another tenant does changes its numbers or the time of its packets. */
  readonly random: Random;
  /** Its campaigns that are under way, by id. */
  readonly campaigns: Map<string, TenantCampaign> = new Map();
  /** The ids of campaigns whose rows are being read for the first time. */
  readonly loading: Set<string> = new Set();
  /** The timer of its calls' packets. */
  readonly ticker: Ticker;
  /** Its authenticated sessions. */
  sessions = 0;
  /** Bytes of replies that its sessions have not taken yet. */
  unreadBytes = 0;
  /** Bytes of frames that its sessions have begun and not ended. */
  readonly unfinished: ByteBudget;
  /** What its long work can take of the gateway. */
  readonly work: WorkBudget;
  /** RPCs of all its sessions together. */
  readonly rpcRate: RateLimit;
  readonly #tools: GatewayServices;
  readonly #host: CallHost;
  readonly #callRate: RateLimit;
  readonly #calls = new Map<string, Call>();
  readonly #memory = new Map<string, Memory>();
  readonly #liveOnTrunk = new Map<string, number>();
  readonly #diallers = new WeakMap<Call, Subscriber>();
  readonly #owners = new WeakMap<Call, Owner>();

  constructor(tenantId: string, tools: GatewayServices) {
    const { clock, limits, seed } = tools;
    this.tenantId = tenantId;
    this.trunks = new Trunks(tenantId, limits.trunksPerTenant);
    this.random = createRandom(deriveSeed(seed(), tenantId));
    this.ticker = new Ticker(clock);
    this.#tools = tools;
    this.work = new WorkBudget({
      clock,
      turns: tools.slices,
      msPerSecond: limits.workMsPerSecond,
      bytesPerSecond: limits.listBytesPerSecond,
      pieces: limits.workPieces,
    });
    this.unfinished = new ByteBudget(limits.unfinishedBytesPerTenant);
    this.rpcRate = new RateLimit({
      perSecond: limits.rpcsPerSecondPerTenant,
      burst: limits.rpcsPerSecondPerTenant * 2,
      clock,
    });
    this.#callRate = new RateLimit({
      perSecond: limits.callsPerSecond,
      burst: limits.callsPerSecond * 2,
      clock,
    });
    this.#host = {
      clock,
      random: this.random,
      ticker: this.ticker,
      audioFramesPerSecond: limits.audioFramesPerSecond,
      record: tools.record,
      seed,
      faultsOf: ({ options }) => tools.faults.of(options),
      event: (call, event) => this.#event(call, event),
      speak: (call, speech, endOfStream) => this.#speak(call, speech, endOfStream),
      barged: ({ callSid }, talkMs) =>
        tools.log("call.barged", {
          ...{ tenantId, callSid, durationMs: talkMs },
          reason: "the far end talked while the gateway played",
        }),
      hush: (call) => this.listenerOf(call)?.hush(call),
    };
  }

  /** How many calls are live. */
  get liveCalls(): number {
    return this.#calls.size;
  }

  /** How many calls a trunk carries. */
  liveOn(trunkId: string): number {
    return this.#liveOnTrunk.get(trunkId) ?? 0;
  }

  /** A live call of this tenant. */
  call(callSid: string): Call | undefined {
    return this.#calls.get(callSid);
  }

  /** A live call, if the session is allowed to do this with it: any other call looks like one that does not exist. */
  callFor(access: Access, callSid: string, right: Right): Call | undefined {
    const call = this.#calls.get(callSid);
    return call !== undefined && this.mayReach(access, call, right) ? call : undefined;
  }

  /** Whether a session is allowed to do something with a call. */
  mayReach(access: Access, call: Call, right: Right): boolean {
    return !access.isLimited || access.may(right, this.#subject(call));
  }

  /**
   * Which session receives the audio of a call: the holder of its client id, else the one that dialled it, answered it or began its campaign, else
   * the tenant's newest subscriber; always one that is allowed to listen to it.
   */
  listenerOf(call: Call): Subscriber | undefined {
    return this.holderOf(call) ?? this.subscriptions.newest(this.#subject(call));
  }

  /** The session that a call belongs to: the holder of its client id, else the one that dialled or answered it. */
  holderOf(call: Call): Subscriber | undefined {
    const subject = this.#subject(call);
    const holder = this.subscriptions.holderOf(subject, call.clientId);
    if (holder !== undefined) return holder;
    const dialler = this.#diallers.get(call);
    return dialler?.isLive && dialler.access.may("listen", subject) ? dialler : undefined;
  }

  /** Whether a session would hear an incoming call ring, and is allowed to answer it. */
  get hasAnswerer(): boolean {
    const subject = { owner: undefined, isWaiting: true };
    return [...this.subscriptions.audience(subject, "")]
      .some(({ access }) => access.may("answer", subject));
  }

  #subject(call: Call): Subject {
    return { owner: this.#owners.get(call), isWaiting: isWaiting(call) };
  }

  /** The live calls, the oldest first. */
  calls(): IterableIterator<Call> {
    return this.#calls.values();
  }

  /** Answers a call that came in, for a client id if one is named, else for the session itself. */
  take(call: Call, clientId: string, by: Subscriber): void {
    if (clientId !== "") call.clientId = clientId;
    this.#owners.set(call, by.access.ownerOf(call.clientId));
    this.#diallers.set(call, by);
    call.answer();
  }

  /** Takes a trunk as it is in a store that gateways share; `undefined` for one that was removed. */
  takeTrunk(trunkId: string, record: TrunkRecord | undefined): void {
    this.trunks.take(trunkId, record);
  }

  /**
   * Dials, unless this `call_sid` was dialled before: within the dial window that is the same call again, later it is refused.
   *
   * @param options The call; its trunk is this tenant's.
   * @param access What the session that asked can do.
   * @param by The session that receives the call's audio when none holds its client id.
   */
  dial(options: CallOptions, access: Access, by: Subscriber | undefined): Dialled | RpcRefusal {
    const { trunkId } = options;
    const before = this.#memory.get(options.callSid);
    if (before !== undefined) return this.#repeat(before, options, access);
    const { faults, phones } = this.#tools;
    const listener = this.#chosenFor(options);
    const makePhone = listener?.script === undefined ? phones.phoneOf(options) : undefined;
    const script = listener?.script ?? scriptOf(options.to);
    const { tenantId } = this;
    const code = faults.of({ tenantId, trunkId })?.refuseWith ??
      (makePhone === undefined ? refusalIn(script) : undefined);
    const refusal = code === undefined
      ? this.#overLimit(trunkId) ?? this.#overBudget()
      : new FarEndRefusal(code, refusalTexts[code] ?? "Refused");
    if (refusal !== undefined) return refusal;
    const followed: MakePhone = makePhone ?? ((line) => new ScriptedPhone(script, line));
    const owner = access.ownerOf(options.clientId);
    return this.#place({ ...options, listener, makePhone: followed }, owner, by);
  }

  /** What limits would refuse a call on a trunk of this tenant now. Takes nothing from the budget. */
  limitOn(trunkId: string): RpcRefusal | undefined {
    return this.#overLimit(trunkId) ?? (this.#callRate.hasToken ? undefined : this.#noBudget);
  }

  /** Whether an id belongs to a call of this tenant, live or ended. */
  knows(callSid: string): boolean {
    return this.#memory.has(callSid);
  }

  /** A call that cannot be placed, but is to be heard of: its one event says that it has failed, and why. */
  fail(options: CallOptions, access: Access, q850Cause: number): void {
    const call = this.#add(options, access.ownerOf(options.clientId), undefined);
    call.end(q850Cause, "FAILED");
  }

  /** Lets a call in that comes from outside. */
  receive(options: CallOptions): Dialled | RpcRefusal {
    const refusal = this.#overLimit(options.trunkId);
    if (refusal !== undefined) return refusal;
    const listener = this.#chosenFor(options);
    const script = listener?.script ?? callerScript;
    const makePhone: MakePhone = options.makePhone ??
      ((line) => new ScriptedPhone(script, line));
    return this.#place({ ...options, listener, makePhone }, undefined, undefined);
  }

  /** What the gateway's owner has chosen for a call. */
  #chosenFor(options: CallOptions): FarEndPhone | undefined {
    const { callSid, tenantId, trunkId, direction, to, callFrom: from } = options;
    const { farEnd, phones } = this.#tools;
    const isPhone = direction === "outbound" && phones.has(to);
    const call = { callSid, tenantId, trunkId, direction, to, from, isPhone };
    return choosePhone(farEnd, call);
  }

  /** Stops every call without an event. */
  drop(): void {
    for (const campaign of this.campaigns.values()) campaign.drop();
    for (const call of this.#calls.values()) call.drop();
    this.#calls.clear();
  }

  #repeat(before: Memory, { to, trunkId }: CallOptions, access: Access): Dialled | RpcRefusal {
    const { clock, limits } = this.#tools;
    const isSame = before.to === to && before.trunkId === trunkId && access.owns(before.owner);
    if (isSame && clock.monotonic() - before.dialledAt <= limits.dialWindowMs) return before;
    return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, "call_sid was used before");
  }

  #place(
    options: CallOptions,
    owner: Owner | undefined,
    by: Subscriber | undefined,
  ): Dialled {
    const call = this.#add(options, owner, by);
    this.#tools.counters.calls++;
    call.start();
    return { callSid: call.callSid, startMs: call.startMs };
  }

  #add(options: CallOptions, owner: Owner | undefined, by: Subscriber | undefined): Call {
    const { clock } = this.#tools;
    const { callSid, to, trunkId } = options;
    const call = new Call(options, this.#host);
    const dialled = {
      callSid,
      startMs: call.startMs,
      to,
      trunkId,
      owner,
      dialledAt: clock.monotonic(),
    };
    this.#calls.set(callSid, call);
    this.#remember(dialled);
    this.#liveOnTrunk.set(trunkId, this.liveOn(trunkId) + 1);
    if (owner !== undefined) this.#owners.set(call, owner);
    if (by !== undefined) this.#diallers.set(call, by);
    return call;
  }

  #overLimit(trunkId: string): RpcRefusal | undefined {
    const { callsPerTenant } = this.#tools.limits;
    const { channelLimit } = this.trunks.get(trunkId)!;
    if (this.liveOn(trunkId) >= channelLimit) {
      return limited(`The trunk carries ${channelLimit} calls, its channel_limit`);
    }
    if (this.#calls.size < callsPerTenant) return undefined;
    return limited(`The tenant has ${callsPerTenant} live calls, its limit`);
  }

  #overBudget(): RpcRefusal | undefined {
    return this.#callRate.take() ? undefined : this.#noBudget;
  }

  get #noBudget(): RpcRefusal {
    const { callsPerSecond } = this.#tools.limits;
    return limited(`The tenant's budget of ${callsPerSecond} calls per second is used up`);
  }

  /** Live calls are remembered, and of those that ended the newest. */
  #remember(memory: Memory): void {
    const { endedCalls } = this.#tools.limits;
    this.#memory.set(memory.callSid, memory);
    if (this.#memory.size <= this.#calls.size + endedCalls) return;
    for (const callSid of this.#memory.keys()) {
      if (this.#calls.has(callSid)) continue;
      this.#memory.delete(callSid);
      return;
    }
  }

  #event(call: Call, event: CallEvent): void {
    const { counters, faults, log, watchers } = this.#tools;
    watchers.call(call, event);
    const owner = this.#owners.get(call);
    const subject = { owner, isWaiting: owner === undefined && isUnanswered(call, event) };
    const holder = call.options.isShared === true ? "" : event.clientId;
    const audience = this.subscriptions.audience(subject, holder);
    for (const subscriber of audience) {
      // For a token with a scope a client id can be what proves whose a call is: it is not shown to others.
      const mayKnow = subscriber.access.owns(owner);
      subscriber.event(mayKnow ? event : { ...event, clientId: "" });
    }
    counters.eventsSent += audience.size;
    if (audience.size === 0) counters.eventsUnheard++;
    if (event.eventType !== EventType.CHANNEL_HANGUP_COMPLETE) return;
    log("call.ended", {
      tenantId: this.tenantId,
      callSid: call.callSid,
      code: event.q850Cause,
      reason: event.status,
    });
    this.#calls.delete(call.callSid);
    faults.forget(call.callSid, this.tenantId);
    const live = this.liveOn(event.trunkId) - 1;
    if (live > 0) this.#liveOnTrunk.set(event.trunkId, live);
    else this.#liveOnTrunk.delete(event.trunkId);
  }

  #speak(call: Call, speech: Speech, endOfStream: boolean): void {
    const listener = this.listenerOf(call);
    if (listener === undefined) this.#tools.counters.audioDropped++;
    else listener.audio(call, speech, endOfStream);
  }
}

/** Whether an event is one of an incoming call that are not answered: it rings, or the caller gave up. */
function isUnanswered({ options }: Call, event: CallEvent): boolean {
  return options.direction === "inbound" && event.answerTimestampMs === 0;
}

/** Whether a call came in and is not answered yet. */
export function isWaiting(call: Call): boolean {
  return call.options.direction === "inbound" && call.state === "ringing";
}

/** The code with which a phone's script has the dial refused. */
function refusalIn([first]: PhoneScript): number | undefined {
  return first?.type === "refuse" ? first.errorCode : undefined;
}

function limited(message: string): RpcRefusal {
  return new RpcRefusal(ErrorCode.ERR_RATE_LIMITED, message);
}

const refusalTexts: Readonly<Record<number, string>> = {
  [ErrorCode.ERR_CIRCUIT_BREAKER]: "The trunk's circuit breaker is open",
  [ErrorCode.ERR_RATE_LIMITED]: "The tenant's budget of calls per second is used up",
};
