import {
  type AudioLink,
  type Call,
  type ClientStatus,
  signToken,
  TeleQuickClient,
  TeleQuickError,
} from "../../mod.ts";
import { createRandom, deriveSeed, type Random, randomUuid } from "../../src/base/random.ts";
import { AudioFrame, FrameReader, methods } from "../../src/wire/mod.ts";
import { QuickClock, turn } from "./quick_clock.ts";
import { repeatably } from "./repeatable.ts";
import { testAccount, TestGateway } from "./tenant_kit.ts";
import { CountingClock } from "../../src/testing/counting_clock.ts";
import { Network } from "../../src/testing/network.ts";

/** What became of one story. */
export interface Story {
  /** What was promised and not kept. Empty when all is well. */
  readonly violations: readonly string[];
  /** What happened, line by line; the same for the same seed. */
  readonly trace: readonly string[];
  /** How often each action was taken. */
  readonly actions: ReadonlyMap<string, number>;
  /** Simulated seconds; dials sent and acknowledged; sessions opened; audio frames written; clients that ended by an error. */
  readonly seconds: number;
  readonly dialled: number;
  readonly acknowledged: number;
  readonly sessions: number;
  readonly frames: number;
  readonly closed: number;
}

const KEYS = ["first", "second", "third"];
const TOKEN_SECONDS = 300;
const MINTED_EVERY_MS = 60_000;
const LONGEST_STORY_MS = 45 * 60_000;
const STEPS = 30;
const RPC_TIMEOUT_MS = 8_000;
// An event in the smallest pieces, one delay after the other, takes up to 8 s while other streams are heard.
const NEWS_TAKES_MS = 12_000;
const NUMBERS = [
  ...["+15550100", "+15550100", "+15550100", "+15550101", "+15550102"],
  ...["+15550105", "+15550106", "+15550107"],
];

const tokens = new Map<string, string>();

/** Mints what all stories need, and runs one, so that everything that takes real time has been done. */
export async function prepare(): Promise<void> {
  const start = new QuickClock().now();
  for (const name of KEYS) {
    const { signer } = await testAccount("acme", name);
    for (let ms = 0; ms < LONGEST_STORY_MS; ms += MINTED_EVERY_MS) {
      const token = await signToken(signer, { now: start + ms, lifetimeSeconds: TOKEN_SECONDS });
      tokens.set(`${name} ${ms / MINTED_EVERY_MS}`, token);
    }
  }
  for (const key of KEYS) await warmUp(key);
}

/** Shows every token to a gateway once: its verdict is then known, and comes at once. */
async function warmUp(key: string): Promise<void> {
  await repeatably(createRandom(1), async () => {
    const setup = await openSetup(new QuickClock(), () => {});
    for (let ms = 0; ms < LONGEST_STORY_MS; ms += MINTED_EVERY_MS) {
      const raw = setup.dial();
      const answered = raw.authenticate(tokens.get(`${key} ${ms / MINTED_EVERY_MS}`)!);
      if ((await answered)?.status !== "OK") throw new Error("A token of the story is refused");
      raw.close();
      await setup.clock.advance(MINTED_EVERY_MS);
    }
    // A token of a revoked key meets the gateway's stand-in for keys that it does not know.
    for (const name of KEYS) await setup.gateway.revokeServiceAccount(idOf(name));
    for (
      let ms = LONGEST_STORY_MS - 4 * MINTED_EVERY_MS;
      ms < LONGEST_STORY_MS;
      ms += MINTED_EVERY_MS
    ) {
      await setup.dial().authenticate(tokens.get(`${key} ${ms / MINTED_EVERY_MS}`)!);
    }
    await setup[Symbol.asyncDispose]();
  });
}

function idOf(name: string): { tenantId: string; privateKeyId: string } {
  return { tenantId: "acme", privateKeyId: `acme-${name}` };
}

async function openSetup(
  clock: QuickClock,
  log: (record: { event: string; callSid?: string }) => void,
): Promise<TestGateway<QuickClock>> {
  const setup = new TestGateway<QuickClock>({ clock, seed: 1, log });
  for (const name of KEYS) await setup.addTenant("acme", { name });
  return setup;
}

/** Runs the story of a seed: what the user does, what the network and the gateway do to it, and whether every promise was kept. */
export function tellStory(seed: number): Promise<Story> {
  return repeatably(createRandom(deriveSeed(seed, "library")), () => new Teller(seed).tell());
}

/** What may follow what. */
const AUTOMATON: Readonly<Record<ClientStatus["type"], readonly ClientStatus["type"][]>> = {
  idle: ["connecting", "closed"],
  connecting: ["open", "idle", "closed"],
  open: ["renewing", "reconnecting", "events-may-be-missing", "closed"],
  renewing: ["open", "reconnecting", "events-may-be-missing", "closed"],
  reconnecting: ["reconnecting", "events-may-be-missing", "closed"],
  "events-may-be-missing": ["open"],
  closed: [],
};

interface Line {
  readonly call: Call;
  readonly events: string[];
  link: AudioLink | undefined;
  writer: WritableStreamDefaultWriter<Uint8Array | Int16Array> | undefined;
}

class Teller {
  readonly #random: Random;
  readonly #clock = new QuickClock();
  readonly #meter = new CountingClock(this.#clock);
  readonly #trace: string[] = [];
  readonly #violations: string[] = [];
  readonly #actions = new Map<string, number>();
  readonly #open = new Set<{ readonly label: string; readonly dueMs: number }>();
  readonly #executed = new Map<string, number>();
  readonly #endedThere = new Map<string, number>();
  readonly #acknowledged = new Set<string>();
  readonly #hungUp = new Set<string>();
  readonly #lines: Line[] = [];
  readonly #statuses: ClientStatus[] = [];
  #latestNewsMs = 0;
  readonly #lastSequence = new Map<string, number>();
  readonly #readers = new WeakMap<object, FrameReader>();
  #setup!: TestGateway<QuickClock>;
  #network!: Network;
  #client!: TeleQuickClient;
  #key = 0;
  #revoked = new Set<number>();
  #tokenFault: "none" | "throws" | "hangs" | "slow" = "none";
  #dialled = 0;
  #frames = 0;
  #isDone = false;

  constructor(seed: number) {
    this.#random = createRandom(deriveSeed(seed, "story"));
  }

  async tell(): Promise<Story> {
    this.#setup = await openSetup(this.#clock, ({ event, callSid = "" }) => {
      if (event === "call.dialled") count(this.#executed, callSid);
      if (event === "call.ended") this.#endedThere.set(callSid, this.#clock.now());
    });
    this.#network = new Network({
      clock: this.#clock,
      random: createRandom(this.#int(2 ** 31)),
      accept: (incoming) => void this.#setup.gateway.serve(incoming),
      onAudio: (chunk, stream) => this.#tap(chunk, stream),
    });
    this.#client = new TeleQuickClient("https://gateway.test", () => this.#token(), true, {
      webTransport: this.#network.webTransport,
      clock: this.#meter,
      requestTimeoutMs: RPC_TIMEOUT_MS,
      audioStreams: this.#chance(0.5) ? "call" : "shared",
    });
    this.#watch();
    for (let step = 0; step < STEPS && !this.#isOver(); step++) {
      await this.#act();
      this.#checkPromises();
    }
    await this.#recover();
    await this.#end();
    return {
      violations: this.#violations,
      trace: this.#trace,
      actions: this.#actions,
      seconds: Math.round(this.#clock.monotonic() / 1_000),
      dialled: this.#dialled,
      acknowledged: this.#acknowledged.size,
      sessions: this.#client.stats().session.opened,
      frames: this.#frames,
      closed: this.#statuses.at(-1)?.type === "closed" && !this.#isDone ? 1 : 0,
    };
  }

  // What the user does.

  async #act(): Promise<void> {
    const acts: readonly [weight: number, name: string, act: () => void][] = [
      [10, "dial", () => this.#dial()],
      [5, "dial and abort", () => this.#dial(this.#int(40))],
      [6, "hang up", () => this.#hangUp()],
      [5, "ask", () => this.#rpc("ask", (options) => this.#client.getActiveBuckets(options))],
      [3, "barge", () => this.#rpc("barge", (options) => this.#client.barge(this.#sid(), options))],
      [16, "speak", () => this.#speak()],
      [4, "leave audio", () => this.#leaveAudio()],
      [4, "renew", () => this.#renew()],
      [3, "misuse", () => this.#misuse()],
      [5, "sever", () => this.#network.sever()],
      [4, "black out", () => this.#network.blackOut(this.#pick(["up", "down", "both"] as const))],
      [6, "heal", () => this.#heal()],
      [3, "refuse connects", () => this.#network.connects = this.#pick(["refused", "hanging"])],
      [4, "delay", () => this.#delay(this.#pick([0, 5, 40, 150]))],
      [3, "cut", () => this.#network.cut = this.#pick(["up", "down"] as const)],
      [2, "narrow", () => this.#network.isNarrow = !this.#network.isNarrow],
      [3, "rotate", () => void this.#rotate()],
      [2, "token fault", () => this.#tokenFault = this.#pick(["throws", "hangs", "slow"])],
      [3, "long wait", () => {}],
    ];
    const total = acts.reduce((sum, [weight]) => sum + weight, 0);
    let at = this.#random() * total;
    const [, name, act] = acts.find(([weight]) => (at -= weight) < 0) ?? acts[0]!;
    count(this.#actions, name);
    this.#say(name);
    act();
    const wait = name === "long wait"
      ? 30_000 + this.#int(200_000)
      : this.#chance(0.4)
      ? this.#int(30)
      : this.#int(2_500);
    await this.#clock.advance(wait);
  }

  #dial(abortAfterMs?: number): void {
    const callSid = randomUuid(this.#random);
    const options = { to: this.#pick(NUMBERS), trunkId: "main", callSid };
    this.#dialled++;
    this.#rpc(`dial ${callSid.slice(0, 8)}`, async (request) => {
      const call = await this.#client.dial(options, request);
      this.#acknowledged.add(call.sid);
      const line: Line = { call, events: [], link: undefined, writer: undefined };
      this.#lines.push(line);
      void this.#listen(line);
    }, abortAfterMs);
  }

  async #listen({ call, events }: Line): Promise<void> {
    try {
      for await (const { eventType, status, timestampMs } of call.events()) {
        const event = `${eventType} ${status} ${timestampMs}`;
        if (events.includes(event)) this.#violate(`event ${event} was delivered twice`);
        events.push(event);
      }
    } catch (error) {
      if (!isOurs(error, "ERR_SESSION_CLOSED") && !this.#isOver()) {
        this.#violate(`events ended with ${error}`);
      }
    }
  }

  #hangUp(): void {
    const line = this.#anyLine();
    if (line === undefined) return;
    const { call } = line;
    this.#rpc(`hang up ${call.sid.slice(0, 8)}`, async (options) => {
      await call.hangUp(options);
      this.#hungUp.add(call.sid);
    });
  }

  #speak(): void {
    const line = this.#anyLine((each) => each.call.state === "answered");
    if (line === undefined) return;
    try {
      if (line.link === undefined) {
        const link = line.call.audio();
        // The one before, which still plays out what was written.
        if (link.writable.locked) return;
        line.link = link;
        line.writer = link.writable.getWriter();
        void this.#hear(link);
      }
      // Nothing bounds how long a sentence takes to leave while the network is gone: only the end of the call or the client does.
      void this.#track(
        "speak",
        line.writer!.write(new Uint8Array(160 * (1 + this.#int(40)))),
        Infinity,
      );
    } catch (error) {
      if (!isOurs(error)) this.#violate(`audio() threw ${error}`);
    }
  }

  async #hear(link: AudioLink): Promise<void> {
    const heard = new Set<number>();
    try {
      for await (const { sequenceNumber } of link.readable) {
        if (heard.has(sequenceNumber)) this.#violate(`I5 frame ${sequenceNumber} was heard twice`);
        heard.add(sequenceNumber);
      }
    } catch {
      // The client has ended.
    }
  }

  #leaveAudio(): void {
    const line = this.#anyLine((each) => each.link !== undefined);
    if (line?.link === undefined) return;
    const { link, writer } = line;
    line.link = line.writer = undefined;
    if (this.#chance(0.3)) void this.#track("abort audio", writer!.abort("enough"), Infinity);
    else void this.#track("close audio", link.close(), Infinity);
  }

  #renew(): void {
    const controller = new AbortController();
    this.#clock.schedule(5_000, () => controller.abort(new DOMException("Too slow", "AbortError")));
    void this.#track("renew", this.#client.renew({ signal: controller.signal }), 5_000);
  }

  #misuse(): void {
    const line = this.#anyLine();
    switch (this.#int(5)) {
      case 0:
        return this.#rpc("bad dial", async () => {
          const wrong = { to: "not a number", trunkId: "main" };
          await this.#client.dial(wrong).then(() => this.#violate("a bad dial was accepted"), noop);
        });
      case 1:
        return this.#rpc(
          "foreign trunk",
          (options) => this.#client.dial({ to: "+15550100", trunkId: "no" }, options),
        );
      case 2:
        for (let n = 0; n < 20; n++) {
          this.#rpc("burst", (options) => this.#client.getActiveBuckets(options));
        }
        return;
      case 3:
        if (line === undefined) return;
        return void (async () => {
          for await (const _ of line.call.events()) break;
        })().catch(noop);
      default:
        return void this.#track(
          "connect",
          this.#client.connect({ signal: AbortSignal.abort() }),
          1,
        );
    }
  }

  async #rotate(): Promise<void> {
    const old = this.#key;
    if (this.#chance(0.8)) this.#key = (this.#key + 1) % KEYS.length;
    if (this.#key === old || this.#revoked.has(this.#key) || !this.#chance(0.6)) return;
    this.#revoked.add(old);
    await this.#setup.gateway.revokeServiceAccount(idOf(KEYS[old]!));
  }

  /** From half to one and a half of it, so that streams overtake each other. */
  #delay(ms: number): void {
    this.#network.conditions = { delayMs: ms / 2, jitterMs: ms, reorder: true };
  }

  #heal(): void {
    this.#network.heal();
    this.#network.connects = "open";
    this.#tokenFault = "none";
  }

  async #token(): Promise<string> {
    const fault = this.#tokenFault;
    if (fault === "throws") throw new Error("the vault is sealed");
    if (fault === "hangs") return await new Promise(() => {});
    if (fault === "slow") {
      await new Promise<void>((resolve) => this.#clock.schedule(3_000, resolve));
    }
    const bucket = Math.floor(this.#clock.monotonic() / MINTED_EVERY_MS);
    return tokens.get(`${KEYS[this.#key]} ${bucket}`) ?? "";
  }

  // What is watched.

  #watch(): void {
    void (async () => {
      for await (const { timestampMs } of this.#client.events()) {
        this.#latestNewsMs = Math.max(this.#latestNewsMs, this.#clock.now() - timestampMs);
      }
    })().catch(noop);
    void (async () => {
      for await (const status of this.#client.status()) {
        const before = this.#statuses.at(-1);
        if (before !== undefined && !AUTOMATON[before.type].includes(status.type)) {
          this.#violate(`I3 ${before.type} was followed by ${status.type}`);
        }
        if (
          before?.type === "reconnecting" && status.type === "reconnecting" &&
          status.attempt !== before.attempt + 1
        ) {
          this.#violate(`I3 attempt ${status.attempt} followed ${before.attempt}`);
        }
        this.#statuses.push(status);
        this.#say(`  status ${status.type}`);
      }
    })();
  }

  /** Every frame that leaves has a higher number than the one before it of its call, on any stream and session. */
  #tap(chunk: Uint8Array, stream: object): void {
    const frames = this.#readers.get(stream) ?? new FrameReader();
    this.#readers.set(stream, frames);
    for (const { methodId, envelope } of frames.push(chunk)) {
      if (methodId !== methods.AudioFrame.id) continue;
      const { callSid, sequenceNumber } = AudioFrame.decode(envelope);
      const last = this.#lastSequence.get(callSid) ?? -1;
      if (sequenceNumber <= last) this.#violate(`I5 frame ${sequenceNumber} left after ${last}`);
      this.#lastSequence.set(callSid, sequenceNumber);
      this.#frames++;
    }
  }

  #rpc(
    label: string,
    rpc: (options: { signal?: AbortSignal; timeoutMs?: number }) => Promise<unknown>,
    abortAfterMs?: number,
  ): void {
    const controller = new AbortController();
    const reason = new Error("aborted by the story");
    if (abortAfterMs !== undefined) {
      this.#clock.schedule(abortAfterMs, () => controller.abort(reason));
    }
    void this.#track(
      label,
      rpc(abortAfterMs === undefined ? {} : { signal: controller.signal }),
      RPC_TIMEOUT_MS,
    );
  }

  /** I1: what was promised settles within its time, with a value, an error of ours, or the caller's own reason. */
  async #track(label: string, promise: Promise<unknown>, timeoutMs: number): Promise<void> {
    const entry = { label, dueMs: this.#clock.monotonic() + timeoutMs + 1_000 };
    this.#open.add(entry);
    try {
      await promise;
      this.#say(`  ${label}: done`);
    } catch (error) {
      const isTyped = error instanceof TeleQuickError || label === "renew" || label === "connect" ||
        error instanceof Error && error.message === "aborted by the story" ||
        error instanceof Error && error.message === "the vault is sealed" ||
        label === "speak" || label === "close audio" || label === "abort audio";
      if (!isTyped) this.#violate(`${label} rejected with ${error}`);
      this.#say(`  ${label}: ${error instanceof TeleQuickError ? error.code : error}`);
    } finally {
      this.#open.delete(entry);
    }
  }

  #checkPromises(): void {
    const now = this.#clock.monotonic();
    for (const entry of this.#open) {
      if (entry.dueMs >= now) continue;
      this.#violate(`I1 ${entry.label} has not settled`);
      this.#open.delete(entry);
    }
  }

  // How it ends.

  async #recover(): Promise<void> {
    this.#heal();
    this.#delay(0);
    Object.assign(this.#network, { cut: undefined, isNarrow: false });
    this.#key = [0, 1, 2].find((key) => !this.#revoked.has(key))!;
    if (this.#isOver()) return;
    // The longest back-off, a connect that hangs in the middle, and a second of grace.
    await this.#clock.advance(30_000);
    void this.#track("connect at the end", this.#client.connect(), 20_000);
    await this.#clock.advance(2_000);
    this.#checkPromises();
    const type = this.#statuses.at(-1)?.type;
    if (type !== "open" && !this.#isOver()) this.#violate(`it did not recover: ${type}`);
    this.#checkCalls();
  }

  /** I2 and I6: what both sides say of the calls. */
  #checkCalls(): void {
    for (const [callSid, times] of this.#executed) {
      if (times > 1) this.#violate(`I2 ${callSid} was dialled ${times} times`);
    }
    for (const callSid of this.#acknowledged) {
      if (!this.#executed.has(callSid)) {
        this.#violate(`I2 ${callSid} was acknowledged and not dialled`);
      }
    }
    for (const callSid of this.#hungUp) {
      if (!this.#endedThere.has(callSid)) this.#violate(`I2 ${callSid} was hung up and lives`);
    }
    const gaps = this.#statuses.filter((status) => status.type === "events-may-be-missing");
    for (const { call } of this.#lines) {
      const endedAt = this.#endedThere.get(call.sid);
      if (call.state === "ended" && endedAt === undefined) {
        this.#violate(`I6 ${call.sid} lives at the gateway and not here`);
      }
      // A call that ended in a gap, or so shortly before that the news was on its way, or waited behind news that came late.
      const isTold = gaps.some(({ sinceMs }) =>
        endedAt !== undefined && endedAt >= sinceMs - NEWS_TAKES_MS - this.#latestNewsMs
      );
      if (endedAt !== undefined && call.state !== "ended" && !isTold) {
        this.#violate(`I6 ${call.sid} has ended at the gateway and not here`);
      }
    }
  }

  async #end(): Promise<void> {
    this.#isDone = !this.#isOver();
    const closing = this.#track("close", this.#client.close(), 5_000);
    await this.#clock.advance(7_000);
    await turn();
    this.#checkPromises();
    for (const { label } of this.#open) this.#violate(`I1 ${label} has not settled after close()`);
    await closing;
    if (this.#meter.pending > 0) this.#violate(`I4 ${this.#meter.pending} timers are left`);
    if (this.#statuses.at(-1)?.type !== "closed") this.#violate("I3 the last status is not closed");
    await this.#setup[Symbol.asyncDispose]();
  }

  #isOver(): boolean {
    return this.#statuses.at(-1)?.type === "closed";
  }

  #anyLine(isIt: (line: Line) => boolean = () => true): Line | undefined {
    const lines = this.#lines.filter(isIt);
    return lines[this.#int(Math.max(1, lines.length))];
  }

  #sid(): string {
    return this.#anyLine()?.call.sid ?? "no-such-call";
  }

  #say(what: string): void {
    this.#trace.push(`${this.#clock.monotonic().toFixed(0).padStart(8)} ${what}`);
  }

  #violate(what: string): void {
    this.#violations.push(what);
    this.#say(`VIOLATION ${what}`);
  }

  #int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#int(list.length)]!;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function isOurs(error: unknown, code?: TeleQuickError["code"]): boolean {
  return error instanceof TeleQuickError && (code === undefined || error.code === code);
}

function noop(): void {}
