/**
 * The Worker's side: clients that a page made, and the audio of their calls.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { type Call, type LogRecord, TeleQuickClient } from "../../client/mod.ts";
import type { ClientOptions, TokenRequest } from "../../client/mod.ts";
import { type CarriedAudio, carryAudio } from "../call_audio.ts";
import type { Ask, Hello, Settled, ToPage, ToWorker } from "./protocol.ts";
import { fromWire, toWire } from "./wire_error.ts";
import type { CallFacts } from "./worker_call.ts";
import type { Port } from "../worklet/messages.ts";

/** The part of a Worker's global scope that is used. */
interface WorkerScope {
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/**
 * Runs the clients that the page makes with `new WorkerClient(worker, endpoint, token)`. Call it once, in the module that the Worker runs; messages
 * of the page's own pass by untouched.
 *
 * @example The whole module of the Worker
 * ```ts no-run
 * import { serveClients } from "@telequick/sdk/browser/worker";
 *
 * serveClients();
 * ```
 */
export function serveClients(): void {
  const scope = globalThis as unknown as WorkerScope;
  scope.addEventListener("message", ({ data }) => {
    const hello = data as Hello | null;
    if (hello?.telequick === "client") new ServedClient(hello);
  });
}

/** The verbs of a client that a page can call. */
const clientMethods = [
  "connect",
  "dial",
  "answerIncomingCall",
  "getIncomingCalls",
  "close",
] as const;
/** The verbs of a call that a page can call. */
const callMethods = [
  "hangUp",
  "barge",
  "transfer",
  "mute",
  "unmute",
  "hold",
  "unhold",
  "sendDtmf",
] as const;

type Verb = (...values: unknown[]) => Promise<unknown>;

/** One client of a page. */
class ServedClient {
  readonly #port: Port;
  #client: TeleQuickClient | undefined;
  readonly #calls = new Map<string, Call>();
  // Calls of which the page does not know yet.
  readonly #fresh: Call[] = [];
  readonly #audio = new Map<number, CarriedAudio>();
  readonly #aborts = new Map<number, AbortController>();
  readonly #tokens = new Map<number, (reply: Settled) => void>();
  #asked = 0;

  constructor(hello: Hello) {
    this.#port = hello.port;
    this.#port.onmessage = ({ data }: MessageEvent<ToWorker>) => this.#hear(data);
    try {
      const client = this.#client = this.#make(hello);
      this.#say({ type: "hello", clientId: client.clientId });
      void this.#followStatus(client);
    } catch (error) {
      this.#say({ type: "hello", clientId: "", error: toWire(error) });
    }
  }

  #make({ endpoint, token, hasLog, options }: Hello): TeleQuickClient {
    const credentials = token ?? ((request: TokenRequest) => this.#askToken(request));
    return new TeleQuickClient(endpoint, credentials, true, {
      ...options as ClientOptions,
      ...(hasLog ? { log: (record: LogRecord) => this.#say({ type: "log", record }) } : {}),
    });
  }

  #say(message: ToPage): void {
    this.#port.postMessage(message);
  }

  #hear(message: ToWorker): void {
    switch (message.type) {
      case "ask":
        return void this.#answer(message);
      case "abort":
        return this.#aborts.get(message.id)?.abort();
      case "token":
        return this.#tokens.get(message.id)?.(message.token);
      case "audio":
        return this.#carry(message);
      case "audio-port": {
        const carried = this.#audio.get(message.id);
        return carried === undefined ? message.port.close() : carried.use(message.port);
      }
    }
  }

  async #answer({ id, method, sid, audio, arguments: values }: Ask): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    const reply = await settle(() =>
      audio !== undefined
        ? this.#askAudio(audio, method)
        : sid !== undefined
        ? this.#askCall(sid, method, values, abort.signal)
        : this.#askClient(method, values, abort.signal)
    );
    this.#aborts.delete(id);
    this.#say({ type: "reply", id, reply });
    for (const call of this.#fresh.splice(0)) void this.#follow(call);
    if (sid === undefined && audio === undefined && method === "close") this.#port.close();
  }

  async #askClient(
    method: string,
    values: readonly unknown[],
    signal: AbortSignal,
  ): Promise<unknown> {
    if (!isOneOf(clientMethods, method) || this.#client === undefined) throw unknownVerb(method);
    const verb = this.#client[method].bind(this.#client) as Verb;
    const value = await verb(...withSignal(values, signal));
    return method === "dial" || method === "answerIncomingCall" ? this.#keep(value as Call) : value;
  }

  async #askCall(
    sid: string,
    method: string,
    values: readonly unknown[],
    signal: AbortSignal,
  ): Promise<unknown> {
    const call = this.#calls.get(sid);
    if (!isOneOf(callMethods, method)) throw unknownVerb(method);
    if (call === undefined) {
      // It has ended, and the page did not know yet.
      if (method === "hangUp" || method === "barge") return undefined;
      throw new TeleQuickError("ERR_CALL_ENDED", `Cannot ${method}: the call has ended`);
    }
    return await (call[method].bind(call) as Verb)(...withSignal(values, signal));
  }

  async #askAudio(id: number, method: string): Promise<unknown> {
    const carried = this.#audio.get(id);
    return method === "clear" ? await carried?.clear() : await carried?.close();
  }

  /** Gives what the page knows a call by. */
  #keep(call: Call): CallFacts {
    const { callSid, to, from, trunkId, direction } = call;
    if (this.#calls.get(callSid) !== call) this.#fresh.push(call);
    this.#calls.set(callSid, call);
    return { callSid, to, from, trunkId, direction };
  }

  /** Says to the page all that happens to a call. */
  async #follow(call: Call): Promise<void> {
    const { callSid: sid } = call;
    settle(() => call.answered()).then((reply) => this.#say({ type: "answered", sid, reply }));
    try {
      for await (const event of call.events()) {
        this.#say({ type: "event", sid, event, state: call.state });
      }
    } catch {
      // What ended it is what `ended` rejects with.
    }
    try {
      const value = await call.ended;
      this.#say({ type: "ended", sid, state: call.state, reply: { value } });
    } catch (error) {
      this.#say({ type: "ended", sid, state: call.state, reply: { error: toWire(error) } });
    }
    this.#calls.delete(sid);
  }

  #carry({ id, sid, port, codec, sampleRate }: Extract<ToWorker, { type: "audio" }>): void {
    const call = this.#calls.get(sid);
    const end = (reply: Settled): void => {
      this.#audio.delete(id);
      this.#say({ type: "audio-ended", id, reply });
    };
    if (call === undefined) {
      port.close();
      return end({ value: undefined });
    }
    try {
      const carried = carryAudio(call, port, { codec, sampleRate });
      this.#audio.set(id, carried);
      void settle(() => carried.ended).then(end);
    } catch (error) {
      port.close();
      end({ error: toWire(error) });
    }
  }

  async #followStatus(client: TeleQuickClient): Promise<void> {
    for await (const status of client.status()) {
      this.#say({
        type: "status",
        status: status.type === "reconnecting"
          ? { ...status, cause: toWire(status.cause) }
          : status,
      });
    }
  }

  /** Asks the page for a token: its function lives there. */
  #askToken({ reason, signal }: TokenRequest): Promise<string> {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#tokens.delete(id);
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        stop();
        this.#say({ type: "token-abort", id });
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort);
      this.#tokens.set(id, (reply) => {
        stop();
        if ("error" in reply) reject(fromWire(reply.error));
        else resolve(reply.value as string);
      });
      this.#say({ type: "token", id, reason });
    });
  }
}

/** How something came out, fit to be sent. */
export async function settle(work: () => unknown): Promise<Settled> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: toWire(error) };
  }
}

function isOneOf<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}

function unknownVerb(method: string): TypeError {
  return new TypeError(`Cannot call ${method} of a client in a Worker`);
}

/** Puts the signal where the page's arguments have a mark for it. */
function withSignal(values: readonly unknown[], signal: AbortSignal): unknown[] {
  return values.map((value) =>
    typeof value === "object" && value !== null && "signal" in value ? { ...value, signal } : value
  );
}
