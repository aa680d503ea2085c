import { resolveWebTransport, type WebTransportConstructor } from "../../../src/transport/mod.ts";
import { now } from "./scenario.ts";

/** A write on a one-way stream: of which session, and when. */
export interface WriteRecord {
  readonly session: number;
  readonly atMs: number;
}

/** The runtime's own transport, which notes every write on a one-way stream. */
export async function recordAudio(writes: WriteRecord[]): Promise<WebTransportConstructor> {
  const WebTransport = await resolveWebTransport();
  let sessions = 0;
  return class extends WebTransport {
    readonly #number = sessions++;

    override async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
      const writer = (await super.createUnidirectionalStream()).getWriter();
      return new WritableStream({
        write: (chunk) => {
          writes.push({ session: this.#number, atMs: now() });
          return writer.write(chunk);
        },
        close: () => writer.close(),
        abort: (reason) => writer.abort(reason),
      });
    }
  };
}
