/**
 * One RPC: a request read from its stream, answered, and the stream brought to its end. Every step has a bound.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { sleep } from "../../base/signal.ts";
import { type BidirectionalStream, ByteReader } from "../../transport/mod.ts";
import { answer } from "../methods/dispatch.ts";
import type { RpcContext } from "../methods/route.ts";
import type { ByteBudget } from "../../base/unfinished.ts";
import { drain, readRequest, REQUEST_BYTES, TooMuchUnfinished } from "./streams.ts";

/** Options of {@linkcode serveRpc}. */
export interface ServeRpcOptions {
  /** Whether the session has used up its rate: then the answer is only that. */
  readonly isLimited: boolean;
  /** Remembers what stops the stream when the session is over. Returns what forgets it again. */
  readonly track: (stop: () => void) => () => void;
  /** What the session has for frames that have begun and not ended. */
  readonly unfinished: ByteBudget;
}

const PIECE_BYTES = 32 * 1024;

/** Writes a reply; until it is taken it counts as the tenant's. */
async function write(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  reply: Uint8Array,
  tenant: RpcContext["tenant"],
): Promise<void> {
  tenant.unreadBytes += reply.length;
  try {
    // In pieces: the transport has a turn in between, and with it everyone else.
    for (let at = 0; at < reply.length; at += PIECE_BYTES) {
      await writer.write(reply.subarray(at, at + PIECE_BYTES));
    }
  } finally {
    tenant.unreadBytes -= reply.length;
  }
}

/** Serves a stream. Never rejects. */
export async function serveRpc(
  stream: BidirectionalStream,
  context: RpcContext,
  options: ServeRpcOptions,
): Promise<void> {
  const { clock, limits, counters, log, turns } = context.gateway;
  const reader = new ByteReader(stream.readable, { bufferBytes: REQUEST_BYTES });
  const writer = stream.writable.getWriter();
  writer.closed.catch(ignore);
  reader.closed.catch(ignore);
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    reader.cancel().catch(ignore);
    writer.abort().catch(ignore);
  };
  const arm = (): () => void =>
    clock.schedule(limits.streamMs, () => {
      counters.timedOut++;
      stop();
    });
  const untrack = options.track(stop);
  let disarm: () => void = ignore;
  let onEnd: (() => void) | undefined;
  const keepOpen = (tell: () => void): () => void => {
    onEnd = tell;
    return () => void reader.cancel().catch(ignore);
  };
  try {
    // It is not even read before: a flood costs its sender time, and no other peer.
    if (options.isLimited && limits.limitedReplyMs >= 1) {
      await sleep(limits.limitedReplyMs, { clock });
      // Those that came together are due together.
      await turns.join(context.tenant);
    }
    if (isStopped) return;
    disarm = arm();
    const frame = await readRequest(reader, limits.rpcFrameBytes, options.unfinished);
    disarm();
    const reply = await answer(frame, context, { keepOpen }, options.isLimited);
    if (reply === undefined) return stop();
    disarm = arm();
    await write(writer, reply, context.tenant);
    if (onEnd === undefined) {
      await writer.close();
      await drain(reader, limits.drainBytes);
    } else {
      disarm();
      await drain(reader, Infinity);
      await writer.close();
    }
  } catch (error) {
    if (error instanceof TooMuchUnfinished) {
      counters.limited++;
      log("limit.reached", { ...context.ids, reason: "unfinishedBytes" });
    }
    // Bytes that are not a frame give a TeleQuickError; everything else means that the peer or the session has gone.
    if (error instanceof TeleQuickError && !isStopped) {
      counters.malformed++;
      log("rpc.malformed", { ...context.ids, reason: error.message });
    }
    stop();
  } finally {
    disarm();
    untrack();
    onEnd?.();
  }
}
