/**
 * Phone numbers that ring for a person: a dial becomes an incoming call of the phone's own tenant, and both calls are each other's
 * far end.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import { DialplanAction, isDestination } from "../../wire/mod.ts";
import type { Call, CallOptions } from "../call/call.ts";
import type { MakePhone } from "../call/phone/phone.ts";
import type { GatewayContext } from "../context.ts";
import type { PhonesSnapshot } from "../observe/records.ts";
import { RpcRefusal } from "../refusal.ts";
import type { Tenant } from "../tenant/tenant.ts";
import { readTrunk } from "../tenant/trunk.ts";
import { checkTenantId } from "../validate.ts";
import { Leg } from "./leg.ts";
import { issuePhoneToken, type PhoneToken, type PhoneTokenOptions } from "./phone_token.ts";

export type { PhoneToken, PhoneTokenOptions } from "./phone_token.ts";

/**
 * Phone numbers that ring for a person. A program is the phone when it is connected as {@linkcode GatewayPhones.tenantId}: each dial to one of the numbers,
 * by any tenant, comes in there on {@linkcode GatewayPhones.trunkId}, for as many programs as are connected; the first to answer gets it, and the
 * dial is answered then.
 *
 * Ends of the dial, as Q.850 causes: 20 after 1 s when no program is connected; 17 while the phone is in use; 19 after 30 s without an
 * answer; 21 when it is declined, which `endCall(callSid, 21)` does, as a token that can only answer cannot end a call that it
 * has not answered; 16 when either side hangs up, or 10 s after the answering program was lost and did not come back with its client id.
 *
 * A key that either side presses (`SEND_DTMF`) sounds as its tones on the other.
 */
export interface GatewayPhones {
  /** The tenant on which they ring. */
  readonly tenantId: string;
  /** The trunk on which they ring: `desk`. */
  readonly trunkId: string;
  /** The numbers. */
  readonly numbers: readonly string[];
  /** Whether a program is connected that would hear them ring. */
  readonly isOn: boolean;
  /**
   * Adds a number, if it is not there: a phone number in E.164 or a SIP URI.
   *
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` for anything else; `ERR_LIMIT` for more than 1,000.
   */
  add(number: string): void;
  /** Takes a number away; calls on it go on. */
  remove(number: string): void;
  /**
   * Signs a token for a program that is the phone: with the scope `call.answer` and no more, for at most 300 s. The key that signs it lives in
   * memory and ends with the gateway.
   */
  token(options?: PhoneTokenOptions): Promise<PhoneToken>;
}

/** Options of {@linkcode Phones}. */
export interface PhonesOptions {
  readonly numbers: readonly string[];
  readonly tenantId: string;
  /** The gateway, once it is made. */
  readonly gateway: () => GatewayContext;
}

/** A call to or from the person, from its first ring to its end. */
interface PersonCall {
  /** The tenant's call. */
  readonly outer: Leg;
  /** The call on the phone's own tenant. */
  readonly inner: Leg;
  /** Whether the person called: then the tenant's call is answered by the tenant. */
  readonly isFromPerson: boolean;
}

const TRUNK_ID = "desk";
const MOST_NUMBERS = 1_000;
const ABSENT_MS = 1_000;
const BUSY_MS = 50;
const RING_MS = 30_000;
const GONE_MS = 10_000;

// ITU-T Q.850.
const NORMAL_CLEARING = 16;
const USER_BUSY = 17;
const SUBSCRIBER_ABSENT = 20;
const CALL_REJECTED = 21;
const NO_CIRCUIT = 34;

/** The phones of one gateway. */
export class Phones implements GatewayPhones {
  readonly tenantId: string;
  readonly trunkId: string = TRUNK_ID;
  readonly #numbers = new Set<string>();
  readonly #gateway: () => GatewayContext;
  readonly #calls = new Set<PersonCall>();
  readonly #stops = new Set<() => void>();

  constructor({ numbers, tenantId, gateway }: PhonesOptions) {
    checkTenantId(tenantId, "create gateway");
    this.tenantId = tenantId;
    this.#gateway = gateway;
    for (const number of numbers) this.add(number);
  }

  get numbers(): readonly string[] {
    return [...this.#numbers];
  }

  get isOn(): boolean {
    const { tenants } = this.#gateway();
    return tenants.has(this.tenantId) && tenants.byOwner(this.tenantId).hasAnswerer;
  }

  has(number: string): boolean {
    return this.#numbers.has(number);
  }

  /** Whether the person talks. */
  get isBusy(): boolean {
    return [...this.#calls].some(({ inner }) => inner.isAnswered);
  }

  get snapshot(): PhonesSnapshot {
    const { tenantId, trunkId, numbers, isOn } = this;
    return { tenantId, trunkId, numbers, isOn };
  }

  add(number: string): void {
    if (typeof number !== "string" || !isDestination(number)) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        "Cannot add phone: the number is neither a phone number in E.164 nor a SIP URI",
      );
    }
    if (!this.#numbers.has(number) && this.#numbers.size >= MOST_NUMBERS) {
      throw new TeleQuickError(
        "ERR_LIMIT",
        `Cannot add phone: there are ${MOST_NUMBERS}, expected fewer (remove one first)`,
      );
    }
    this.#numbers.add(number);
  }

  remove(number: string): void {
    this.#numbers.delete(number);
  }

  token(options?: PhoneTokenOptions): Promise<PhoneToken> {
    // The trunk is there before the first program asks for it.
    const { tenantId } = this.tenant();
    return issuePhoneToken(this.#gateway(), tenantId, options);
  }

  /** The phone's tenant, with its trunk. Neither is on disk. */
  tenant(): Tenant {
    const tenant = this.#gateway().tenants.byOwner(this.tenantId);
    if (!tenant.trunks.has(TRUNK_ID)) {
      tenant.trunks.putUnkept(readTrunk({ tenantId: this.tenantId, trunkId: TRUNK_ID }));
    }
    return tenant;
  }

  /** The far end of a dial to one of the numbers. */
  phoneOf({ tenantId, to, callFrom }: CallOptions): MakePhone | undefined {
    if (!this.has(to)) return undefined;
    return (line) =>
      new Leg(line, {
        onStart: (outer) => this.#dialled(outer, { tenantId, to, callFrom }),
        onEnd: (outer, q850Cause) => this.#outerEnded(outer, q850Cause),
      });
  }

  /** The far end of a call that the person makes to a tenant. `ring` lets it ring on the phone, and returns the call's id there. */
  callerOf(to: string): { readonly makePhone: MakePhone; ring(): string } {
    let made: Leg | undefined;
    return {
      makePhone: (line) =>
        made = new Leg(line, {
          onEnd: (outer, q850Cause) => this.#outerEnded(outer, q850Cause),
        }),
      ring: () => {
        const [number = to] = this.#numbers;
        // The tenant has answered or refused in the meantime: it does not need to ring.
        if (made === undefined || made.isOver) return "";
        return this.#ring(made, { to: number, callFrom: to }, true);
      },
    };
  }

  /** Stops what waits: the gateway is going away. */
  close(): void {
    for (const stop of [...this.#stops]) stop();
    this.#stops.clear();
  }

  #dialled(outer: Leg, numbers: Pick<CallOptions, "tenantId" | "to" | "callFrom">): void {
    const { line } = outer;
    if (this.isBusy) return line.later(BUSY_MS, () => line.hangUp(USER_BUSY));
    if (this.isOn) return void this.#ring(outer, numbers, false);
    line.later(ABSENT_MS, () => {
      if (this.isBusy) return line.hangUp(USER_BUSY);
      if (this.isOn) return void this.#ring(outer, numbers, false);
      this.#gateway().log("phone.absent", {
        tenantId: numbers.tenantId,
        callSid: line.callSid,
        reason:
          `${numbers.to} rings nowhere: a program has to be connected as tenant ${this.tenantId}`,
      });
      line.hangUp(SUBSCRIBER_ABSENT);
    });
  }

  /** Rings on the phone's tenant. Returns the call's id there; empty when it cannot. */
  #ring(
    outer: Leg,
    { to, callFrom }: Pick<CallOptions, "to" | "callFrom">,
    isFromPerson: boolean,
  ): string {
    const tenant = this.tenant();
    const callSid = randomUuid(tenant.random);
    const received = tenant.receive({
      ...{ callSid, tenantId: this.tenantId, trunkId: TRUNK_ID, to, callFrom },
      direction: "inbound",
      isShared: true,
      clientId: "",
      defaultApp: DialplanAction.ANSWER,
      defaultAppArgs: "",
      maxDurationMs: 0,
      incoming: { patienceMs: RING_MS },
      makePhone: (line) => {
        const inner = new Leg(line, {
          onAnswer: () => this.#answered(call, tenant),
          onEnd: (_, q850Cause) => this.#innerEnded(call, q850Cause),
        });
        const call: PersonCall = { outer, inner, isFromPerson };
        outer.other = inner;
        inner.other = outer;
        this.#calls.add(call);
        return inner;
      },
    });
    if (received instanceof RpcRefusal) {
      this.#hangUpOuter({ outer, isFromPerson }, NO_CIRCUIT);
      return "";
    }
    if (!isFromPerson) outer.line.ring();
    return callSid;
  }

  #answered(call: PersonCall, tenant: Tenant): void {
    for (const other of [...this.#calls]) {
      if (other !== call && !other.inner.isAnswered) this.#hangUpOuter(other, USER_BUSY);
    }
    const answered = tenant.call(call.inner.line.callSid);
    // A program without a scope can answer for all of its tenant: then none of them is waited for.
    if (answered !== undefined && tenant.holderOf(answered) !== undefined) {
      this.#watchHolder(answered, tenant);
    }
    if (!call.isFromPerson) call.outer.line.answer();
  }

  /** Ends an answered call when the program that answered it has been gone for too long. */
  #watchHolder(call: Call, tenant: Tenant): void {
    const { clock } = this.#gateway();
    const { onChange } = tenant.subscriptions;
    let cancel: (() => void) | undefined;
    const look = (): void => {
      if (tenant.holderOf(call) === undefined) {
        cancel ??= clock.schedule(GONE_MS, () => call.hangUp(NORMAL_CLEARING));
      } else {
        cancel?.();
        cancel = undefined;
      }
    };
    const stop = (): void => {
      cancel?.();
      onChange.delete(look);
      this.#stops.delete(stop);
    };
    onChange.add(look);
    this.#stops.add(stop);
    call.onEnd(stop);
  }

  #outerEnded(outer: Leg, q850Cause: number): void {
    outer.other?.line.hangUp(q850Cause);
  }

  #innerEnded(call: PersonCall, q850Cause: number): void {
    this.#calls.delete(call);
    const { outer, inner } = call;
    if (outer.isOver) return;
    // Hung up before it was answered: it was declined.
    const isDeclined = !inner.isAnswered && q850Cause === NORMAL_CLEARING;
    this.#hangUpOuter(call, isDeclined ? CALL_REJECTED : q850Cause);
  }

  /** A person who called just hangs up, for any reason. */
  #hangUpOuter(
    { outer, isFromPerson }: Pick<PersonCall, "outer" | "isFromPerson">,
    q850Cause: number,
  ): void {
    outer.line.hangUp(isFromPerson ? NORMAL_CLEARING : q850Cause);
  }
}
