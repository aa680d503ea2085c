/**
 * Faults that the gateway's owner sets: what is lost, late or twice, which dials are refused, which sessions are dropped.
 *
 * @module
 */

import { kindOf } from "../../../base/check.ts";
import { TeleQuickError } from "../../../base/errors.ts";
import { ErrorCode } from "../../../wire/mod.ts";

/** What goes wrong, until it is lifted. Media faults act on both directions of a call, each packet by itself. */
export interface Faults {
  /** Packets that are lost, in percent: 0 to 100. Default: 0. */
  readonly lossPercent?: number;
  /** Up to how much later than others a packet arrives, in milliseconds: 0 to 2,000. Packets keep their order. Default: 0. */
  readonly jitterMs?: number;
  /** How much later every packet arrives, in milliseconds: 0 to 5,000. Default: 0. */
  readonly delayMs?: number;
  /** Packets that arrive twice, in percent: 0 to 100. Default: 0. */
  readonly duplicatePercent?: number;
  /** Refuses every dial with this `ErrorCode` of the wire, 1 to 7. Not for one call. Default: dials are not refused. */
  readonly refuseWith?: number;
  /**
   * Loses every session at once and without a reason, as an outage of the network does, and every new one when its token is accepted,
   * until the faults are lifted. For a tenant or the whole gateway. Default: `false`.
   */
  readonly dropSessions?: boolean;
}

/**
 * What faults are set for: one live call, a trunk, a tenant, or the whole gateway (none of them). With `tenantId` a call or a trunk is
 * that tenant's own; without it, any tenant's.
 */
export interface FaultTarget {
  /** A live call. */
  readonly callSid?: string;
  /** A tenant. */
  readonly tenantId?: string;
  /** A trunk. */
  readonly trunkId?: string;
}

/** Faults, and what they are set for. */
export interface SetFaults {
  /** What they are set for. */
  readonly at: FaultTarget;
  /** What goes wrong. */
  readonly faults: Faults;
}

const LONGEST_DELAY_MS = 5_000;
const LONGEST_JITTER_MS = 2_000;
const MOST_TARGETS = 1_000;

const ranges: Readonly<Record<string, number>> = {
  lossPercent: 100,
  jitterMs: LONGEST_JITTER_MS,
  delayMs: LONGEST_DELAY_MS,
  duplicatePercent: 100,
};
const targetNames = ["callSid", "tenantId", "trunkId"];

/** The faults of one gateway, by what they are set for. */
export class FaultTable {
  readonly #byTarget = new Map<string, SetFaults>();
  readonly #hasCall: (callSid: string, tenantId: string | undefined) => boolean;

  /**
   * Makes an empty table.
   *
   * @param hasCall Whether a call is live, of a tenant or of any.
   */
  constructor(hasCall: (callSid: string, tenantId: string | undefined) => boolean) {
    this.#hasCall = hasCall;
  }

  /** All of them, in the order in which they were set. */
  get all(): readonly SetFaults[] {
    return [...this.#byTarget.values()];
  }

  /**
   * Sets the faults of a target in place of those that it had; `undefined` lifts them.
   *
   * @throws {TypeError} for a value of the wrong type.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` for one out of range, an unknown name, or a target that such a fault cannot have. Nothing is set then.
   */
  set(faults: Faults | undefined, at: FaultTarget = {}): void {
    checkTarget(at);
    const key = keyOf(at);
    if (faults === undefined) return void this.#byTarget.delete(key);
    checkFaults(faults, at);
    if (at.callSid !== undefined && !this.#hasCall(at.callSid, at.tenantId)) {
      throw unfit("no live call has this callSid");
    }
    if (!this.#byTarget.has(key) && this.#byTarget.size >= MOST_TARGETS) {
      throw new TeleQuickError(
        "ERR_LIMIT",
        `Cannot set faults: ${MOST_TARGETS} targets have some, expected fewer (lift some first)`,
      );
    }
    this.#byTarget.set(key, { at: { ...at }, faults: { ...faults } });
  }

  /**
   * The faults of a call or, without a `callSid`, of a dial: those of the most specific target, whole. That is the call, the trunk of the
   * tenant, the trunk, the tenant, the gateway.
   */
  of(at: FaultTarget & { readonly tenantId: string }): Faults | undefined {
    if (this.#byTarget.size === 0) return undefined;
    const { callSid, tenantId, trunkId } = at;
    const targets: FaultTarget[] = [{ tenantId }, {}];
    if (trunkId !== undefined) targets.unshift({ tenantId, trunkId }, { trunkId });
    if (callSid !== undefined) targets.unshift({ tenantId, callSid }, { callSid });
    for (const target of targets) {
      const found = this.#byTarget.get(keyOf(target));
      if (found !== undefined) return found.faults;
    }
    return undefined;
  }

  /** Forgets those of a call that has ended. */
  forget(callSid: string, tenantId: string): void {
    if (this.#byTarget.size === 0) return;
    this.#byTarget.delete(keyOf({ callSid }));
    this.#byTarget.delete(keyOf({ callSid, tenantId }));
  }
}

function keyOf({ callSid, tenantId, trunkId }: FaultTarget): string {
  return JSON.stringify([callSid ?? null, tenantId ?? null, trunkId ?? null]);
}

function checkTarget(at: unknown): void {
  if (typeof at !== "object" || at === null) {
    throw new TypeError(`Cannot set faults: the target is ${kindOf(at)}, expected an object`);
  }
  for (const [name, value] of Object.entries(at)) {
    if (!targetNames.includes(name)) throw unknownName(name, targetNames);
    if (value !== undefined && typeof value !== "string") throw wrongType(name, value, "a string");
  }
  const { callSid, trunkId } = at as FaultTarget;
  if (callSid !== undefined && trunkId !== undefined) {
    throw unfit("the target has callSid and trunkId, expected one of them");
  }
}

function checkFaults(faults: unknown, { callSid, trunkId }: FaultTarget): void {
  if (typeof faults !== "object" || faults === null) {
    throw new TypeError(`Cannot set faults: they are ${kindOf(faults)}, expected an object`);
  }
  const { refuseWith, dropSessions, ...media } = faults as Record<string, unknown>;
  for (const [name, value] of Object.entries(media)) {
    const most = ranges[name];
    if (most === undefined || !Object.hasOwn(ranges, name)) {
      throw unknownName(name, [...Object.keys(ranges), "refuseWith", "dropSessions"]);
    }
    if (value === undefined) continue;
    if (typeof value !== "number") throw wrongType(name, value, "a number");
    if (!(value >= 0 && value <= most)) throw unfit(`${name} is ${value}, expected 0 to ${most}`);
  }
  if (refuseWith !== undefined) {
    const codes: readonly unknown[] = Object.values(ErrorCode);
    if (typeof refuseWith !== "number") throw wrongType("refuseWith", refuseWith, "a number");
    if (refuseWith === ErrorCode.SUCCESS || !codes.includes(refuseWith)) {
      throw unfit(`refuseWith is ${refuseWith}, expected an ErrorCode from 1 to 7`);
    }
    if (callSid !== undefined) throw unfit("refuseWith is for dials, not for a call that is there");
  }
  if (dropSessions !== undefined && typeof dropSessions !== "boolean") {
    throw wrongType("dropSessions", dropSessions, "a boolean");
  }
  if (dropSessions === true && (callSid ?? trunkId) !== undefined) {
    throw unfit("dropSessions is for a tenant or the whole gateway");
  }
}

function unknownName(name: string, expected: readonly string[]): TeleQuickError {
  const shown = JSON.stringify(name.slice(0, 32));
  return unfit(`${shown} is unknown, expected ${expected.join(", ")}`);
}

function wrongType(name: string, value: unknown, expected: string): TypeError {
  return new TypeError(`Cannot set faults: ${name} is ${kindOf(value)}, expected ${expected}`);
}

function unfit(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot set faults: ${found}`);
}
