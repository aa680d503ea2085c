import { encodeUtf8 } from "../../base/bytes.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { messageOf } from "../../base/text/message.ts";
import { ignore } from "../../base/ignore.ts";
import { Queue } from "../../base/queue.ts";
import { sleep, systemClock, within } from "../../base/signal.ts";
import { certificateHash } from "../certificate_hash.ts";
import { collectGarbage } from "../packages.ts";
import {
  cannotBind,
  certificateUnusable,
  isBindFault,
  type Listener,
  type ListenerCertificate,
  type ListenOptions,
} from "../listener.ts";
import {
  type NapiAddon,
  type NapiRequest,
  type NapiServer,
  NapiTransport,
} from "./napi_session.ts";
import type { CloseInfo, IncomingSession } from "../types.ts";

// The last messages leave in the background: time of the network, not of the injected clock.
const LINGER_MS = 20;
// The addon closes a connection when its peer has answered the end of the session, or has not for 100 ms, as Deno never does.
const LONGEST_LINGER_MS = 2_000;
// A second: the port of a server that has closed is free a little later.
const REBIND_ATTEMPTS = 20;
const REBIND_AFTER_MS = 50;

/** Accepts sessions with the addon's server. It shows neither addresses nor headers, and cannot tell which port it took. */
export function listenAddon(addon: NapiAddon, options: ListenOptions): Listener {
  const { hostname = "127.0.0.1", port = 0 } = options;
  let bound: BoundOptions = { ...options, hostname, port };
  if (port === 0) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      "Cannot listen: port is 0, expected a port number (the addon cannot tell which one it would take)",
    );
  }
  const sessions = new Queue<IncomingSession>({
    capacity: options.backlog ?? 256,
    overflow: "drop-newest",
  });
  let serving = serve(addon, bound, sessions);
  let isClosed = false;
  // Why there is no server any more.
  let failure: { readonly error: unknown } | undefined;
  let replacing: Promise<void> | undefined;
  const replace = async (
    certificate: ListenerCertificate,
    before: Promise<void> | undefined,
  ): Promise<void> => {
    await before?.catch(ignore);
    if (isClosed) return;
    if (failure !== undefined) throw failure.error;
    const { certificatePem, privateKeyPem } = certificate;
    const next = { ...bound, certificatePem, privateKeyPem };
    // At any port, while the sessions go on: an unusable certificate must not end them.
    bind(addon, next, hostname, 0).close();
    await serving.stop({ reason: "the gateway changes its certificate" });
    try {
      serving = await serveAgain(addon, next, sessions);
      bound = next;
    } catch (error) {
      try {
        serving = await serveAgain(addon, bound, sessions);
      } catch (last) {
        failure = { error: last };
        sessions.fail(last);
        throw last;
      }
      throw error;
    }
  };

  return {
    hostname,
    port,
    accept: () => sessions,
    replaceCertificate: (certificate) => replacing = replace(certificate, replacing),
    async close(info: CloseInfo = {}) {
      isClosed = true;
      sessions.close();
      if (replacing !== undefined) await replacing.catch(ignore);
      await serving.stop(info);
    },
  };
}

/** A server of the addon, with the certificate with which it was bound. */
interface Serving {
  /** Ends its sessions and frees the port; the second time it waits for the first. */
  stop(info: CloseInfo): Promise<void>;
}

type BoundOptions = ListenOptions & { readonly hostname: string; readonly port: number };

/** Binds a port that was freed just now. */
async function serveAgain(
  addon: NapiAddon,
  options: BoundOptions,
  sessions: Queue<IncomingSession>,
): Promise<Serving> {
  for (let attempt = 1;; attempt++) {
    try {
      return serve(addon, options, sessions);
    } catch (error) {
      if (attempt === REBIND_ATTEMPTS || !isBindFault(error)) throw error;
      // The addon holds the socket until the objects of its last session are collected.
      collectGarbage();
      await sleep(REBIND_AFTER_MS);
    }
  }
}

function serve(
  addon: NapiAddon,
  options: BoundOptions,
  sessions: Queue<IncomingSession>,
): Serving {
  const { hostname, port, handshakeTimeoutMs = 5_000, clock = systemClock } = options;
  const server = bind(addon, options, hostname, port);
  const live = new Set<NapiTransport>();

  const establish = async (request: NapiRequest): Promise<void> => {
    const { host, pathname, search } = new URL(await request.url);
    const path = pathname + search;
    const status = options.admit?.({ authority: host, path }) ?? 200;
    if (status !== 200) return await request.reject(status);
    const session = new NapiTransport(request.ok());
    await session.ready;
    live.add(session);
    const forget = (): void => void live.delete(session);
    session.closed.then(forget, forget);
    if (!sessions.push({ session, path })) {
      session.close({ reason: "the listener takes no more sessions" });
    }
  };

  // The last request that is accepted: our own, by a path of its own.
  const lastPath = `/${crypto.randomUUID()}`;
  let over = false;
  const run = async (): Promise<void> => {
    try {
      for (let next = await server.accept(); next !== null; next = await server.accept()) {
        const request = next;
        if (over) {
          if (await turnAway(request) === lastPath) break;
          continue;
        }
        within(() => establish(request), {
          timeoutMs: handshakeTimeoutMs,
          clock,
          onTimeout: () => new Error("handshake timeout"),
        }).catch(ignore);
      }
      if (!over) sessions.fail(new Error("The addon's server has ended"));
    } catch (error) {
      // The server is gone. Where it was closed, the queue has ended already.
      if (!over) sessions.fail(error);
    }
    server.close();
  };
  const running = run();

  return {
    async stop(info) {
      if (over) return await running;
      over = true;
      await linger(live, info);
      let isRunning = true;
      const ended = running.then(() => void (isRunning = false));
      const last = authority(reachable(hostname), port) + lastPath;
      while (isRunning) {
        // Whether the request is answered is of no interest, only that it came.
        await Promise.race([ended, wake(addon, options, last).then(() => sleep(LINGER_MS))]);
      }
    },
  };
}

/** Closes sessions and lets that arrive: a peer whose connection just falls silent would wait for its own time-out. */
async function linger(live: ReadonlySet<NapiTransport>, info: CloseInfo): Promise<void> {
  if (live.size === 0) return;
  const closed = [...live].map((session) => session.closed.catch(ignore));
  for (const session of live) session.close(info);
  await within(() => Promise.all(closed), {
    timeoutMs: LONGEST_LINGER_MS,
    onTimeout: () => new Error("linger timeout"),
  }).catch(ignore);
  await sleep(LINGER_MS);
}

/** Refuses a request; its peer may be gone already. Returns the path that it asked for. */
async function turnAway(request: NapiRequest): Promise<string | undefined> {
  try {
    const { pathname } = new URL(await request.url);
    await request.reject(503);
    return pathname;
  } catch {
    return undefined;
  }
}

/**
 * Asks the server once more: its `close` blocks the whole thread while an `accept` is waiting, so that one has to return first.
 * Clients that come meanwhile are answered first: a request that is not accepted would wait for 30 s.
 */
async function wake(
  addon: NapiAddon,
  { certificatePem }: ListenOptions,
  target: string,
): Promise<void> {
  const { value } = await certificateHash(certificatePem);
  const client = addon.NapiClient.withCertificateHashes([value]);
  await client.connect(`https://${target}`).catch(ignore);
}

function reachable(hostname: string): string {
  return hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
}

function authority(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

function bind(
  addon: NapiAddon,
  { certificatePem, privateKeyPem }: ListenOptions,
  hostname: string,
  port: number,
): NapiServer {
  try {
    return addon.NapiServer.bind(
      authority(hostname, port),
      encodeUtf8(certificatePem),
      encodeUtf8(privateKeyPem),
    );
  } catch (cause) {
    const text = messageOf(cause);
    if (/in use|bind|permission|address/i.test(text)) throw cannotBind(hostname, port, cause);
    throw certificateUnusable();
  }
}
