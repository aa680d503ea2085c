/**
 * What happened of late: calls with their events, and refusals with what the catalogue says to do about them.
 *
 * @module
 */

import {
  type CatalogueEntry,
  q850Entry,
  refusalCatalogue,
  wireCatalogue,
} from "../catalogue/mod.ts";
import type { CallSnapshot, GatewayLogRecord, GatewayRecord } from "../gateway/mod.ts";
import { ErrorCode, methods, nameOf } from "../wire/mod.ts";
import type { CallView, MomentView, RefusalView } from "./messages.ts";

const MOST_CALLS = 200;
const MOST_REFUSALS = 200;
const MOST_MOMENTS = 100;
// ITU-T Q.850: normal call clearing.
const NORMAL_CLEARING = 16;
// What a client does to trunks has no record of its own.
const { AddTrunk, UpdateTrunk, RemoveTrunk } = methods;
const trunkMethods: readonly string[] = [AddTrunk.name, UpdateTrunk.name, RemoveTrunk.name];

/** What a record has changed: what the page has to be sent. */
export type Change =
  | { readonly type: "call"; readonly call: CallView }
  | { readonly type: "refusal"; readonly refusal: RefusalView }
  /** Tenants, keys, trunks, sessions or faults. */
  | { readonly type: "overview" };

/** Calls and refusals, the oldest first. */
export class History {
  readonly #calls = new Map<string, CallView>();
  readonly #refusals: RefusalView[] = [];

  /** The calls that live, and the last that ended. */
  get calls(): readonly CallView[] {
    return [...this.#calls.values()];
  }

  /** The last refusals. */
  get refusals(): readonly RefusalView[] {
    return [...this.#refusals];
  }

  /** Takes the calls that live when the watch begins. */
  begin(calls: readonly CallSnapshot[]): void {
    for (const call of calls) this.#calls.set(keyOf(call), viewOf(call, []));
  }

  /** Takes a record. Returns what it changes; `undefined` for nothing that is shown. */
  take(record: GatewayRecord): Change | undefined {
    if (record.type === "call") return this.#call(record);
    return record.type === "log" ? this.#log(record.record) : undefined;
  }

  #call({ timeMs, event, status, q850Cause, call }: GatewayRecord & { type: "call" }): Change {
    const key = keyOf(call);
    const before = this.#calls.get(key)?.moments ?? [];
    const isEnd = call.state === "ended";
    const end = isEnd ? q850Entry(q850Cause) : undefined;
    const words = event === "CHANNEL_HOLD"
      ? "HOLD"
      : event === "CHANNEL_RESUME"
      ? "RESUME"
      : status;
    const text = isEnd ? `${words}, Q.850 ${q850Cause}` : words;
    const moments = [...before, { timeMs, text }].slice(-MOST_MOMENTS);
    const view = {
      ...viewOf(call, moments),
      ...(isEnd && {
        endMs: timeMs,
        cause: `${q850Cause} ${end?.meaning.replace(/^The call ended: /, "") ?? "unknown cause"}`,
        fix: q850Cause === NORMAL_CLEARING ? "" : end?.fix ?? "",
      }),
    };
    this.#keep(key, view);
    return { type: "call", call: view };
  }

  #log(record: GatewayLogRecord): Change | undefined {
    const { event, code = 0, method = "" } = record;
    if (event === "session.refused" || (event === "rpc.done" && code !== ErrorCode.SUCCESS)) {
      const refusal = refusalOf(record);
      this.#refusals.push(refusal);
      if (this.#refusals.length > MOST_REFUSALS) this.#refusals.shift();
      return { type: "refusal", refusal };
    }
    const moment = momentOf(record);
    if (moment !== undefined) return this.#moment(record, moment);
    const isShown = event === "rpc.done"
      ? trunkMethods.includes(method)
      : /^(key|trunk|session|faults|gateway)\./.test(event);
    return isShown ? { type: "overview" } : undefined;
  }

  /** Something about a call that is not an event of it. */
  #moment(
    { tenantId = "", callSid = "" }: GatewayLogRecord,
    moment: MomentView,
  ): Change | undefined {
    const key = keyOf({ tenantId, callSid });
    const call = this.#calls.get(key);
    if (call === undefined) return undefined;
    const view = { ...call, moments: [...call.moments, moment].slice(-MOST_MOMENTS) };
    this.#calls.set(key, view);
    return { type: "call", call: view };
  }

  /** Those that have ended make room, the oldest first. */
  #keep(key: string, view: CallView): void {
    this.#calls.set(key, view);
    if (this.#calls.size <= MOST_CALLS) return;
    for (const [other, { state }] of this.#calls) {
      if (state !== "ended") continue;
      this.#calls.delete(other);
      if (this.#calls.size <= MOST_CALLS) return;
    }
  }
}

function keyOf(
  { tenantId, callSid }: { readonly tenantId: string; readonly callSid: string },
): string {
  return `${tenantId} ${callSid}`;
}

function viewOf(call: CallSnapshot, moments: readonly MomentView[]): CallView {
  const { callSid, tenantId, trunkId, direction, to, from, state, startMs, answerMs } = call;
  return {
    ...{ callSid, tenantId, trunkId, direction, to, from, state, startMs, answerMs, moments },
    ...{ endMs: 0, cause: "", fix: "" },
  };
}

/** What a log record says about a call; `undefined` when it is shown as an event, or not about a call. */
function momentOf({ event, timeMs, digit, reason }: GatewayLogRecord): MomentView | undefined {
  switch (event) {
    case "call.dtmf":
      return {
        timeMs,
        text: `Digit ${digit ?? ""} from the program${reason ? ` (${reason})` : ""}`,
      };
    case "call.barged":
      return { timeMs, text: "Playback stopped: barge-in" };
    case "call.supervised":
      return { timeMs, text: "A supervisor listens" };
    case "recording.failed":
      return { timeMs, text: `Recording failed: ${reason ?? ""}` };
    case "phone.absent":
      return { timeMs, text: "No page has its phone on" };
    default:
      return undefined;
  }
}

function refusalOf(record: GatewayLogRecord): RefusalView {
  const { timeMs, event, tenantId = "", keyId = "", method = "", reason = "", code = 0 } = record;
  const { refusal } = record;
  const name = nameOf(ErrorCode, code);
  const entry: CatalogueEntry | undefined = event === "rpc.done"
    ? name && wireCatalogue[name]
    : refusal && refusalCatalogue[refusal];
  return {
    ...{ timeMs, event, tenantId, keyId, method, reason },
    code: refusal ?? String(code),
    meaning: entry?.meaning ?? "",
    fix: entry?.fix ?? "",
  };
}
