/**
 * One direction of a stream over a network that takes time: chunks arrive in order, each when its time has come.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";

/** The way between the two sides of a session. */
export interface Route {
  /**
   * Sends a chunk. `left` resolves when the sender's link is free again, `arrived` when the chunk is there; that one rejects when the
   * connection is lost on the way.
   */
  send(
    way: "up" | "down",
    bytes: number,
  ): { readonly left: Promise<void>; readonly arrived: Promise<void> };
  /** Whether the chunk that has just arrived is to be cut, and its stream reset. */
  takesCut(way: "up" | "down"): boolean;
}

// What may be on its way in one stream: a sender waits for room beyond that, as for QUIC's flow control.
const WINDOW_BYTES = 64 * 1024;

const RESET = "The stream was reset by peer: error 0";

/** Keeps chunks in order and bounds how many bytes are on their way. */
class Flight {
  readonly #route: Route;
  readonly #way: "up" | "down";
  #bytes = 0;
  #tail: Promise<void> = Promise.resolve();
  #left: Promise<void> = Promise.resolve();
  #onRoom = ignore;

  constructor(route: Route, way: "up" | "down") {
    this.#route = route;
    this.#way = way;
  }

  /** Sends something; `onArrival` runs in its turn. Resolves when that is done, rejects when it failed or the connection is lost. */
  send(bytes: number, onArrival: () => void | Promise<void>): Promise<void> {
    this.#bytes += bytes;
    const { left, arrived } = this.#route.send(this.#way, bytes);
    this.#left = left;
    arrived.catch(ignore);
    this.#tail = this.#tail.then(() => arrived).then(onArrival).finally(() => {
      this.#bytes -= bytes;
      this.#onRoom();
    });
    this.#tail.catch(ignore);
    return this.#tail;
  }

  /** Resolves when there is room for more: the last chunk has left, and not too much is on its way. */
  async room(): Promise<void> {
    await this.#left;
    while (this.#bytes >= WINDOW_BYTES) {
      await new Promise<void>((resolve) => this.#onRoom = resolve);
    }
  }
}

/** What the client writes. `onChunk` takes each chunk before it leaves. */
export function delayedWritable(
  stream: WritableStream<Uint8Array>,
  route: Route,
  onChunk: (chunk: Uint8Array) => void = ignore,
): WritableStream<Uint8Array> {
  const writer = stream.getWriter();
  const flight = new Flight(route, "up");
  let fail: (error: unknown) => void = ignore;
  return new WritableStream({
    start(controller) {
      fail = (error) => controller.error(error);
      writer.closed.catch(fail);
    },
    async write(chunk) {
      onChunk(chunk);
      const copy = chunk.slice();
      flight.send(copy.length, async () => {
        if (!route.takesCut("up")) return await writer.write(copy);
        await writer.write(copy.subarray(0, copy.length >> 1));
        await writer.abort(new Error("cut")).catch(ignore);
        throw new Error(RESET);
      }).catch(fail);
      await flight.room();
    },
    close: () => flight.send(0, () => writer.close()),
    abort: (reason) => writer.abort(reason),
  });
}

/** What the client reads. It is read ahead: the time that one chunk takes must not hold up the next. */
export function delayedReadable(
  stream: ReadableStream<Uint8Array>,
  route: Route,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  const flight = new Flight(route, "down");
  let isOver = false;
  let onRead = ignore;
  const end = (close: () => void): void => {
    if (!isOver) close();
    isOver = true;
  };
  const arrive = (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array) => {
    if (isOver) return;
    if (!route.takesCut("down")) return controller.enqueue(chunk);
    controller.enqueue(chunk.subarray(0, chunk.length >> 1));
    reader.cancel().catch(ignore);
    end(() => controller.error(new Error(RESET)));
  };
  const pump = async (
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> => {
    const fail = (error: unknown): void => end(() => controller.error(error));
    while (!isOver) {
      await flight.room();
      while (!isOver && (controller.desiredSize ?? 0) <= 0) {
        await new Promise<void>((resolve) => onRead = resolve);
      }
      const { value, done } = await reader.read();
      if (done) return await flight.send(0, () => end(() => controller.close()));
      flight.send(value.length, () => arrive(controller, value)).catch(fail);
    }
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      pump(controller).catch((error) => end(() => controller.error(error)));
    },
    pull: () => onRead(),
    cancel(reason) {
      isOver = true;
      onRead();
      return reader.cancel(reason);
    },
  }, { highWaterMark: WINDOW_BYTES, size: (chunk) => chunk.length });
}
