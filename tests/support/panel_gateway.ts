import { Queue } from "../../src/base/queue.ts";
import type {
  CallSnapshot,
  Faults,
  FaultTarget,
  Gateway,
  GatewayLogRecord,
  GatewayRecord,
  GatewaySnapshot,
  InboundCall,
  KeySnapshot,
  RevokeResult,
  SetFaults,
  SimulateInboundCallOptions,
} from "../../src/gateway/mod.ts";

const silence = { toFarEnd: 0, fromFarEnd: 0 };
const quality = {
  ...{ packetsSent: 0, packetsReceived: 0, packetsLost: 0, lossPercent: 0, jitterMs: 0, mos: 0 },
};

/** A call of the fake gateway. */
export function callOf(callSid: string, fields: Partial<CallSnapshot> = {}): CallSnapshot {
  return {
    ...{ callSid, tenantId: "acme", trunkId: "trunk-1", direction: "outbound" },
    ...{ from: "", to: "+15550120", state: "dialled", isHeld: false, isMuted: false },
    ...{ startMs: Date.now(), answerMs: 0, levels: silence, quality },
    ...fields,
  };
}

/** A gateway of which a test decides what happens. */
export class FakePanelGateway {
  /** What was asked for, in order. */
  readonly asked: unknown[] = [];
  readonly calls: Map<string, CallSnapshot> = new Map();
  keys: KeySnapshot[] = [{
    ...{ tenantId: "acme", keyId: "key-1", role: "sdk", expiresAtMs: 0 },
    ...{ isRevoked: false, revokedAtMs: 0 },
  }];
  faults: SetFaults[] = [];
  /** The gateways that do not confirm a revocation. */
  unconfirmed: string[] = [];
  /** How many watch, and how many of them levels. */
  watching = { all: 0, levels: 0 };
  readonly #watchers = new Set<{ queue: Queue<GatewayRecord>; levels: boolean }>();

  inspect(): GatewaySnapshot {
    const calls = [...this.calls.values()].filter(({ state }) => state !== "ended");
    const trunk = { trunkId: "trunk-1", channelLimit: 500, inboundRule: 0 };
    return {
      timeMs: Date.now(),
      tenants: [{ tenantId: "acme", sessions: 1, liveCalls: calls.length, campaigns: 0 }],
      keys: this.keys,
      trunks: [{ ...trunk, tenantId: "acme", liveCalls: calls.length }],
      sessions: [],
      calls,
      faults: this.faults,
      phones: { tenantId: "phone", trunkId: "desk", numbers: ["+15550120"], isOn: false },
      stats: { sessions: { open: 1, accepted: 1, refused: {} } } as never,
    };
  }

  watch({ signal, levels = false }: { signal?: AbortSignal; levels?: boolean } = {}) {
    const watcher = {
      levels,
      queue: new Queue<GatewayRecord>({
        capacity: 1_024,
        overflow: "drop-oldest",
        onEnd: () => {
          this.#watchers.delete(watcher);
          this.#count();
        },
      }),
    };
    this.#watchers.add(watcher);
    this.#count();
    signal?.addEventListener("abort", () => watcher.queue.close());
    return watcher.queue;
  }

  /** A call begins, or changes. */
  call(call: CallSnapshot, event: string, status: string, q850Cause = 0): void {
    this.calls.set(call.callSid, call);
    this.#push({ type: "call", timeMs: Date.now(), event, status, q850Cause, call });
  }

  log(record: Omit<GatewayLogRecord, "timeMs">): void {
    this.#push({ type: "log", record: { timeMs: Date.now(), ...record } });
  }

  /** How loud the answered calls are. */
  levels(level: (index: number) => number): void {
    const calls = [...this.calls.values()].filter(({ state }) => state === "answered");
    const record: GatewayRecord = {
      type: "levels",
      timeMs: Date.now(),
      calls: calls.map(({ callSid, tenantId }, i) => ({
        ...{ callSid, tenantId },
        levels: { toFarEnd: level(i), fromFarEnd: level(i + 0.5) },
        quality: { ...quality, lossPercent: 1.2, jitterMs: 3.4, mos: 4.31 },
      })),
    };
    for (const { queue, levels } of this.#watchers) if (levels) queue.push(record);
  }

  readonly phones = {
    token: (options: unknown): Promise<{ token: string; expiresAtMs: number }> => {
      this.asked.push({ token: options });
      return Promise.resolve({ token: "a.b.c", expiresAtMs: 0 });
    },
  };

  setFaults(faults: Faults | undefined, at: FaultTarget = {}): void {
    this.asked.push({ setFaults: faults, at });
    const place = JSON.stringify(at);
    this.faults = this.faults.filter(({ at }) => JSON.stringify(at) !== place);
    if (faults !== undefined) this.faults.push({ faults, at });
    this.log({ event: "faults.set" });
  }

  endCall(callSid: string, q850Cause = 16, tenantId?: string): void {
    this.asked.push({ endCall: callSid, q850Cause, tenantId });
    const call = this.calls.get(callSid);
    if (call !== undefined) {
      this.call({ ...call, state: "ended" }, "CHANNEL_HANGUP_COMPLETE", "COMPLETED", q850Cause);
    }
  }

  revokeServiceAccount(options: { tenantId: string; privateKeyId: string }): Promise<RevokeResult> {
    this.asked.push({ revoke: options });
    this.keys = this.keys.map((key) =>
      key.keyId === options.privateKeyId ? { ...key, isRevoked: true } : key
    );
    this.log({ event: "key.revoked" });
    return Promise.resolve({ unconfirmed: this.unconfirmed });
  }

  simulateInboundCall(options: SimulateInboundCallOptions): Promise<InboundCall> {
    // The command line chooses an id, the panel leaves that to the gateway.
    const { callSid = "", ...asked } = options;
    this.asked.push({ callIn: asked });
    return Promise.resolve({ callSid, phoneCallSid: "", sipStatus: 180, hangUp() {} });
  }

  /** As the panel takes it. */
  get gateway(): Gateway {
    return this as unknown as Gateway;
  }

  #push(record: GatewayRecord): void {
    for (const { queue } of this.#watchers) queue.push(record);
  }

  #count(): void {
    const all = [...this.#watchers];
    this.watching = { all: all.length, levels: all.filter(({ levels }) => levels).length };
  }
}
