import type { WebTransportConstructor, WebTransportLike } from "../../src/transport/mod.ts";
import { collectGarbage } from "./gc.ts";

/** Weak references to what a client gets of a transport: every session, its streams and their halves. */
export class Watch {
  readonly #refs: { readonly what: string; readonly ref: WeakRef<object> }[] = [];
  readonly #ends: Promise<unknown>[] = [];

  /** Notes an object, by what it is. */
  note(what: string, value: object): void {
    this.#refs.push({ what, ref: new WeakRef(value) });
  }

  /** What is still there once the garbage is gone. */
  async left(): Promise<string[]> {
    await collectGarbage();
    return this.#refs.flatMap(({ what, ref }) => ref.deref() === undefined ? [] : [what]);
  }

  /** Resolves when the first sessions have closed, so many of them. */
  async closed(count: number): Promise<void> {
    await Promise.allSettled(this.#ends.slice(0, count));
  }

  /** Notes every session of a transport, numbered from 1. */
  transport(inner: WebTransportConstructor): WebTransportConstructor {
    const note = (what: string, value: object): void => this.note(what, value);
    const ends = this.#ends;
    return function Watched(url: string, options?: object): WebTransportLike {
      const session = new inner(url, options);
      ends.push(session.closed);
      const name = `session ${ends.length}`;
      note(name, session);
      const { createBidirectionalStream } = session;
      session.createBidirectionalStream = async () => {
        const stream = await createBidirectionalStream.call(session);
        note(`${name}, stream`, stream);
        note(`${name}, readable`, stream.readable);
        note(`${name}, writable`, stream.writable);
        return stream;
      };
      return session;
    } as unknown as WebTransportConstructor;
  }
}
