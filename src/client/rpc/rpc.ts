/**
 * One call is one bidirectional stream: the request is written and finished, the reply is read.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import { bounded, type Cancellation, type Clock, sleep } from "../../base/signal.ts";
import { fromTransport, type RequestStream, type Session } from "../../transport/mod.ts";
import { encodeRequest, type Method, ReplyReader } from "../../wire/mod.ts";
import { accepted } from "./requests.ts";

/** Options of one RPC. */
export interface RequestOptions {
  /** Ends the wait: the RPC rejects with the signal's reason. What the gateway has already read, it still does. */
  readonly signal?: AbortSignal | undefined;
  /** How long the RPC may take, a connect or reconnect included, in milliseconds. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** Options of {@linkcode callRpc}. */
export interface CallRpcOptions {
  readonly signal: Cancellation | undefined;
  /** Aborted when the session is lost. */
  readonly lost?: Cancellation;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly requestLength: "inclusive" | "exclusive";
}

/** How long a session may take to end after a stream that ends with it, in milliseconds. */
export const LOSS_GRACE_MS = 250;

// A reply ends by its length; what a peer may still say after it is only waited for so that the stream's credit returns.
const FIN_GRACE_MS = 1_000;
const FIN_GRACE_BYTES = 64 * 1024;

/** Sends one request on a stream of its own and resolves with its decoded reply. */
export function callRpc<Q, R>(
  session: Session,
  method: Method<Q, R>,
  request: Partial<Q>,
  options: CallRpcOptions,
): Promise<R> {
  const { timeoutMs, clock, requestLength } = options;
  // Encoded first: a value that cannot be sent is refused before a stream is opened.
  const frame = encodeRequest(method, request, { requestLength });
  return bounded((over) => exchange(session, method, frame, over, clock), {
    signal: options.signal,
    lost: options.lost,
    timeoutMs,
    clock,
    onTimeout: () =>
      new TeleQuickError(
        "ERR_TIMEOUT",
        `Cannot complete ${method.name}: no reply within ${timeoutMs} ms (the gateway may still have carried it out)`,
      ),
  });
}

async function exchange<Q, R>(
  session: Session,
  method: Method<Q, R>,
  frame: Uint8Array,
  signal: Cancellation,
  clock: Clock,
): Promise<R> {
  const stream = await session.openRequest({ signal, clock });
  const onAbort = (): void => stream.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    if (signal.aborted) onAbort();
    // Not awaited: a gateway may answer before it has read everything, and a failed write shows in the read.
    stream.send(frame).catch(ignore);
    const replies = new ReplyReader(method);
    while (true) {
      const { value, done } = await stream.read();
      if (done) return await endOf(replies, session, { signal, clock });
      const reply = replies.push(value);
      if (reply === undefined) continue;
      void finish(stream, clock);
      if (replies.refusal !== undefined) accepted(`complete ${method.name}`, replies.refusal);
      return reply;
    }
  } catch (error) {
    onAbort();
    throw fromTransport(error, { action: `complete ${method.name}` });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The reply at the end of its stream. Where it is not whole, the session can be about to end too: then that is the error. */
export async function endOf<R>(
  replies: ReplyReader<R>,
  session: Session,
  wait: { readonly signal: Cancellation; readonly clock: Clock },
): Promise<R> {
  try {
    return replies.end();
  } catch (error) {
    await sleep(LOSS_GRACE_MS, wait);
    // An error that is not ours is read as the loss (see `fromTransport`).
    throw session.isClosed ? undefined : error;
  }
}

/** Reads what is left of a stream up to its FIN, within a bound of bytes and time, so that its credit returns. */
async function finish(stream: RequestStream, clock: Clock): Promise<void> {
  const cancel = clock.schedule(FIN_GRACE_MS, () => stream.abort());
  try {
    let left = FIN_GRACE_BYTES;
    while (left > 0) {
      const { value, done } = await stream.read();
      if (done) return;
      left -= value.length;
    }
    stream.abort();
  } catch {
    // The stream is over either way.
  } finally {
    cancel();
  }
}
