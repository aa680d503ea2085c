/**
 * `telequick gateway faults`.
 *
 * @module
 */

import type { Faults, FaultTarget } from "../../gateway/mod.ts";
import { ACCOUNT_OPTIONS, accountPath } from "../account.ts";
import { type Command, command } from "../command.ts";
import { askGateway, GATEWAY_DETAILS } from "../gateway_control.ts";
import type { OptionSpecs, OptionValues } from "../terminal/args.ts";
import { inLine } from "../terminal/output.ts";
import { UsageError } from "../usage.ts";

const PLACE_OPTIONS = {
  "tenant": { type: "text", value: "ID", help: "For this tenant" },
  "trunk": { type: "text", value: "ID", help: "For this trunk; with --tenant, of that tenant" },
  "call-sid": { type: "text", value: "ID", help: "For this live call" },
} as const satisfies OptionSpecs;

const FAULT_OPTIONS = {
  "loss-percent": {
    ...{ type: "number", value: "PERCENT", help: "Packets that are lost" },
    ...{ max: 100, fraction: true },
  },
  "jitter-ms": {
    ...{ type: "number", value: "MS", help: "Up to how much later than others a packet arrives" },
    ...{ max: 2_000, fraction: true },
  },
  "delay-ms": {
    ...{ type: "number", value: "MS", help: "How much later every packet arrives" },
    ...{ max: 5_000, fraction: true },
  },
  "duplicate-percent": {
    ...{ type: "number", value: "PERCENT", help: "Packets that arrive twice" },
    ...{ max: 100, fraction: true },
  },
  "refuse-with": {
    ...{ type: "number", value: "CODE", help: "Refuse every dial with this code of the wire" },
    ...{ min: 1, max: 7 },
  },
  "drop-sessions": { type: "flag", help: "Lose every session, as an outage of the network does" },
} as const satisfies OptionSpecs;

/** Sets faults, lifts them, or lists those that are set. */
export const gatewayFaults: Command = command({
  details: GATEWAY_DETAILS +
    "Faults act on both directions of a call until they are removed or the gateway stops, for the whole gateway or for one place. " +
    "They replace those that the place had. Without any, prints the faults that are set.",
  options: {
    ...ACCOUNT_OPTIONS,
    ...FAULT_OPTIONS,
    ...PLACE_OPTIONS,
    "clear": { type: "flag", help: "Remove the faults of this place; without one, of the gateway" },
  },
  examples: [
    ["telequick gateway faults --loss-percent 5 --jitter-ms 40", "a bad line for every call"],
    ["telequick gateway faults --refuse-with 4 --trunk trunk-1", "a trunk that is unhealthy"],
    ["telequick gateway faults --drop-sessions", "an outage, until --clear ends it"],
    ["telequick gateway faults", "what is set"],
  ],
  exitCodes: { 2: "no such gateway runs, or a fault does not go with its place" },
  async run({ values, platform, output }) {
    const credentials = accountPath({ values, platform });
    const [faults, at] = [faultsOf(values), placeOf(values)];
    const isAny = Object.keys(faults).length > 0;
    if (values.clear && isAny) throw wrong("--clear does not go with faults");
    if (!values.clear && !isAny) {
      if (Object.keys(at).length > 0) throw wrong("Faults are missing, or --clear");
      const { faults: all = [] } = await askGateway(credentials, { action: "faults" }, platform);
      for (const { at, faults } of all) {
        output.emit({ type: "faults", at, faults }, `For ${nameOf(at)}: ${wordsOf(faults)}`);
      }
      if (all.length === 0) output.note("No faults are set");
      return 0;
    }
    const { faults: all = [] } = await askGateway(credentials, {
      ...{ action: "faults", at },
      ...(isAny && { faults }),
    }, platform);
    output.emit(
      { type: "faults", at, faults: isAny ? faults : null },
      isAny
        ? `Set for ${nameOf(at)}: ${wordsOf(faults)}`
        : `No faults are set for ${nameOf(at)} now`,
    );
    if (!isAny && all.length > 0) {
      output.note(`Faults are still set for ${all.map(({ at }) => nameOf(at)).join("; ")}`);
    }
    return 0;
  },
});

function wrong(message: string): UsageError {
  return new UsageError(message, { command: "gateway faults" });
}

function faultsOf(values: OptionValues<typeof FAULT_OPTIONS>): Faults {
  return given({
    lossPercent: values["loss-percent"],
    jitterMs: values["jitter-ms"],
    delayMs: values["delay-ms"],
    duplicatePercent: values["duplicate-percent"],
    refuseWith: values["refuse-with"],
    dropSessions: values["drop-sessions"] || undefined,
  });
}

function placeOf(values: OptionValues<typeof PLACE_OPTIONS>): FaultTarget {
  return given({ tenantId: values.tenant, trunkId: values.trunk, callSid: values["call-sid"] });
}

/** The members that have a value. */
function given<T extends object>(
  members: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as { readonly [K in keyof T]?: Exclude<T[K], undefined> };
}

function nameOf({ tenantId, trunkId, callSid }: FaultTarget): string {
  const [kind, id] = callSid !== undefined ? ["call", callSid] : ["trunk", trunkId];
  const tenant = tenantId === undefined ? undefined : `tenant ${tenantId}`;
  if (id === undefined) return inLine(tenant ?? "the whole gateway");
  return inLine(`${kind} ${id}${tenant === undefined ? "" : ` of ${tenant}`}`);
}

function wordsOf(faults: Faults): string {
  const { lossPercent, jitterMs, delayMs, duplicatePercent, refuseWith, dropSessions } = faults;
  return [
    lossPercent && `${lossPercent} % lost`,
    jitterMs && `jitter up to ${jitterMs} ms`,
    delayMs && `${delayMs} ms late`,
    duplicatePercent && `${duplicatePercent} % twice`,
    refuseWith && `dials refused with ${refuseWith}`,
    dropSessions && "sessions dropped",
  ].filter(Boolean).join(", ") || "none";
}
