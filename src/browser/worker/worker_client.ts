/**
 * The page's side of a client in a Worker.
 *
 * @module
 */

import { report } from "../../base/handled.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { Queue } from "../../base/queue.ts";
import { raceSignal, sleep } from "../../base/signal.ts";
import type {
  AnswerOptions,
  ClientOptions,
  ClientStatus,
  DialOptions,
  IncomingCallInfo,
  LogRecord,
  RequestOptions,
  TokenProvider,
  TokenReason,
} from "../../client/mod.ts";
import type { Hello, ToPage } from "./protocol.ts";
import { Remote } from "./remote.ts";
import { RemoteCall } from "./remote_call.ts";
import { fromWire, toWire } from "./wire_error.ts";
import type { CallFacts, WorkerCall } from "./worker_call.ts";
import type { Port } from "../worklet/messages.ts";

/** The part of a Worker that is used. */
export interface WorkerLike {
  /** Sends it a message. */
  postMessage(message: unknown, transfer: Port[]): void;
  /** Calls `listener` when it fails. */
  addEventListener(type: "error", listener: (event: { readonly message?: string }) => void): void;
}

/** Options of {@linkcode WorkerClient}: those of the client that can be sent to another thread, and the log, which is called in the page. */
export interface WorkerClientOptions extends
  Pick<
    ClientOptions,
    | "serverCertificateHash"
    | "serverCertificateHashes"
    | "clientId"
    | "connectTimeoutMs"
    | "requestTimeoutMs"
    | "drainTimeoutMs"
    | "reconnect"
    | "requestLength"
    | "audioStreams"
    | "log"
  > {
  /** How the token is presented. Default: `"stream"`. */
  readonly handshake?: "stream" | "query" | undefined;
}

// A Worker's module is loaded and run in this time, or never.
const START_MS = 10_000;
const STATUSES_KEPT = 256;

/**
 * A client that runs in a Worker, for a page that is busy: its calls' audio goes from the audio thread to the Worker and back, and what
 * the page does meanwhile delays none of it. The token function is called in the page.
 *
 * It has the part of {@linkcode TeleQuickClient} that a page needs. `serveInbound()`, `drain()` and `call()` are for programs that serve a
 * trunk: they are methods of the client itself.
 *
 * @example In the page; `worker.ts` calls `serveClients()`
 * ```ts no-run
 * import { openAudio } from "@telequick/sdk/browser";
 * import { WorkerClient } from "@telequick/sdk/browser/worker";
 *
 * const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
 * const fetchToken = async () => await (await fetch("/telequick-token")).text();
 * const audio = await openAudio();
 * const client = new WorkerClient(worker, "https://engine.telequick.dev:9090", fetchToken);
 * audio.connect(await client.dial({ to: "+15550100", trunkId: "acme-trunk" }));
 * ```
 */
export class WorkerClient implements AsyncDisposable {
  readonly #remote: Remote;
  readonly #ready: Promise<void>;
  readonly #calls = new Map<string, RemoteCall>();
  readonly #statuses = new Set<Queue<ClientStatus>>();
  readonly #tokens = new Map<number, AbortController>();
  readonly #credentials: string | TokenProvider;
  readonly #log: ((record: LogRecord) => void) | undefined;
  #status: ClientStatus = { type: "idle" };
  #isReady: (failure?: TeleQuickError) => void = () => {};
  #closing: Promise<void> | undefined;

  /**
   * Makes a client in a Worker.
   *
   * @param worker A Worker whose module calls `serveClients()`. It can do other work too; `close()` does not end it.
   * @param endpoint `https://host:9090` or `quic://host:9090`, port 9090 by default.
   * @param credentials A function that fetches a token that a backend minted, called in the page; or such a token, until it ends.
   * @param options See {@linkcode WorkerClientOptions}.
   */
  constructor(
    worker: WorkerLike,
    endpoint: string,
    credentials: string | TokenProvider,
    options: WorkerClientOptions = {},
  ) {
    if (typeof credentials !== "function" && typeof credentials !== "string") {
      throw new TypeError("Cannot create client: credentials must be a token or a function");
    }
    for (const name of ["clock", "webTransport"]) {
      if (!(name in options)) continue;
      throw new TypeError(`Option ${name} cannot be sent to a Worker: leave it out`);
    }
    const { log, ...others } = options;
    const { port1, port2 } = new MessageChannel();
    this.#credentials = credentials;
    this.#log = log;
    const { connectTimeoutMs = 10_000, requestTimeoutMs = 10_000 } = options;
    this.#remote = new Remote(port1, connectTimeoutMs + requestTimeoutMs);
    this.#ready = this.#start();
    port1.onmessage = ({ data }: MessageEvent<ToPage>) => this.#hear(data);
    worker.addEventListener("error", ({ message = "it could not be loaded" }) => {
      this.#fail(`The Worker failed: ${message || "its module could not be loaded"}`);
    });
    const token = typeof credentials === "string" ? credentials : undefined;
    const hello: Hello = {
      telequick: "client",
      port: port2,
      endpoint,
      token,
      hasLog: log !== undefined,
      options: others,
    };
    worker.postMessage(hello, [port2]);
  }

  /**
   * Opens the first session, if none is open. Rejects as {@linkcode TeleQuickClient.connect} does, and with `ERR_TIMEOUT` when the
   * Worker does not run `serveClients()`.
   */
  async connect(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#ask("connect", [], options);
  }

  /** What the connection is doing, from now on: the current status first, the last one `closed`. */
  status(): AsyncIterableIterator<ClientStatus> {
    const queue: Queue<ClientStatus> = new Queue({
      capacity: STATUSES_KEPT,
      overflow: "drop-oldest",
      onEnd: () => this.#statuses.delete(queue),
    });
    queue.push(this.#status);
    if (this.#status.type === "closed") queue.close();
    else this.#statuses.add(queue);
    return queue;
  }

  /** Places a call, as {@linkcode TeleQuickClient.dial} does. */
  async dial(options: DialOptions, request?: RequestOptions): Promise<WorkerCall> {
    return this.#keep(await this.#ask("dial", [options], request));
  }

  /** Answers a call that waits on a trunk, as {@linkcode TeleQuickClient.answerIncomingCall} does. */
  async answerIncomingCall(incoming: AnswerOptions, request?: RequestOptions): Promise<WorkerCall> {
    return this.#keep(await this.#ask("answerIncomingCall", [incoming], request));
  }

  /** Lists the calls that wait on a trunk, as {@linkcode TeleQuickClient.getIncomingCalls} does. */
  getIncomingCalls(
    trunkId: string,
    request?: RequestOptions,
  ): Promise<readonly IncomingCallInfo[]> {
    return this.#ask("getIncomingCalls", [trunkId], request);
  }

  /** Ends the client, as {@linkcode TeleQuickClient.close} does; the Worker goes on. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The same as {@linkcode WorkerClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#ask("close", []);
    } finally {
      this.#end(new TeleQuickError("ERR_SESSION_CLOSED", "Client is closed: make a new one"));
    }
  }

  async #start(): Promise<void> {
    const waited = new AbortController();
    const started = new Promise<void>((resolve, reject) => {
      this.#isReady = (failure) => {
        waited.abort();
        if (failure === undefined) resolve();
        else reject(failure);
      };
    });
    // Requests reject with the reason.
    started.catch(() => {});
    sleep(START_MS, { signal: waited.signal }).then(() => {
      this.#fail(
        "The Worker did not answer within 10 s: does its module call serveClients()",
        "ERR_TIMEOUT",
      );
    }, () => {});
    return await started;
  }

  async #ask<T>(
    method: string,
    values: readonly unknown[],
    options?: RequestOptions,
  ): Promise<T> {
    await raceSignal(this.#ready, options?.signal);
    return await this.#remote.ask<T>(method, values, options);
  }

  #keep(facts: CallFacts): RemoteCall {
    const known = this.#calls.get(facts.callSid);
    if (known !== undefined) return known;
    const call = new RemoteCall(this.#remote, facts);
    this.#calls.set(facts.callSid, call);
    return call;
  }

  #hear(message: ToPage): void {
    switch (message.type) {
      case "hello":
        if (message.error === undefined) return this.#isReady();
        return this.#end(fromWire(message.error) as TeleQuickError);
      case "reply":
        return this.#remote.settle(message.id, message.reply);
      case "status":
        // Until it connects, both sides are idle.
        if (message.status.type !== "idle") this.#become(message.status);
        return;
      case "log":
        return report(() => this.#log?.(message.record as LogRecord));
      case "token":
        return void this.#giveToken(message.id, message.reason as TokenReason);
      case "token-abort":
        return this.#tokens.get(message.id)?.abort();
      case "audio-ended":
        return this.#remote.audioEnded(message.id, message.reply);
      default:
        this.#calls.get(message.sid)?.hear(message);
        if (message.type === "ended") this.#calls.delete(message.sid);
    }
  }

  async #giveToken(id: number, reason: TokenReason): Promise<void> {
    const provider = this.#credentials;
    if (typeof provider === "string") return;
    const abort = new AbortController();
    this.#tokens.set(id, abort);
    try {
      const value = await provider({ reason, signal: abort.signal });
      this.#remote.say({ type: "token", id, token: { value } });
    } catch (error) {
      this.#remote.say({ type: "token", id, token: { error: toWire(error) } });
    } finally {
      this.#tokens.delete(id);
    }
  }

  #become(status: ClientStatus): void {
    this.#status = status;
    for (const queue of [...this.#statuses]) {
      queue.push(status);
      if (status.type === "closed") queue.close();
    }
  }

  #fail(message: string, code: TeleQuickError["code"] = "ERR_SESSION_CLOSED"): void {
    this.#end(new TeleQuickError(code, message));
  }

  #end(error: TeleQuickError): void {
    this.#isReady(error);
    this.#remote.fail(error);
    for (const call of this.#calls.values()) call.abandon(error);
    for (const abort of this.#tokens.values()) abort.abort(error);
    if (this.#status.type === "closed") return;
    this.#become({ type: "closed", code: error.code, reason: error.message });
  }
}
