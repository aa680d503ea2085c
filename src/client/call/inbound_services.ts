/**
 * What answers calls for a client, and the client's orderly end: no new calls, those in hand go on to their end.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import { Canceller, sleep } from "../../base/signal.ts";
import { type DrainOptions, type DrainResult, resolveDrain } from "./drain.ts";
import type { InboundHandler, InboundService, ServeInboundOptions } from "./inbound.ts";
import { type InboundHost, LiveInboundService } from "./inbound_service.ts";

/** The services of a client. */
export class InboundServices {
  readonly #host: InboundHost;
  readonly #close: () => Promise<void>;
  readonly #services = new Set<InboundService>();
  #draining: Promise<DrainResult> | undefined;

  /**
   * Makes the services of a client.
   *
   * @param host What they need.
   * @param close Ends the client.
   */
  constructor(host: InboundHost, close: () => Promise<void>) {
    this.#host = host;
    this.#close = close;
  }

  /** Throws when the client takes no new calls. */
  checkTakesCalls(): void {
    if (this.#draining === undefined) return;
    throw new TeleQuickError(
      "ERR_SESSION_CLOSED",
      "Client is draining: it takes no new calls (create a new TeleQuickClient)",
    );
  }

  /** Answers the calls of a trunk. */
  serve(trunkId: string, handler: InboundHandler, options: ServeInboundOptions): InboundService {
    this.checkTakesCalls();
    const service = new LiveInboundService(this.#host, trunkId, handler, options);
    this.#services.add(service);
    void service.ended.catch(ignore).then(() => this.#services.delete(service));
    return service;
  }

  /** Takes no new calls, waits for those in hand, and ends the client. Later calls wait for the first. */
  async drain(options: DrainOptions): Promise<DrainResult> {
    const { deadlineMs, hangsUp } = resolveDrain(options);
    return await (this.#draining ??= this.#drain(deadlineMs, hangsUp));
  }

  async #drain(deadlineMs: number, hangsUp: boolean): Promise<DrainResult> {
    const { clock, calls } = this.#host;
    const over = new Canceller();
    const ended = [...this.#services].map((service) => service.close().catch(ignore));
    // An answer under way can still bring a call: its service ends after it.
    void Promise.all(ended).then(() => calls.idle()).then(() => over.abort(undefined));
    await sleep(deadlineMs, { signal: over, clock }).catch(ignore);
    if (hangsUp) await Promise.allSettled(calls.inHand.map((call) => call.hangUp()));
    const { left } = calls;
    await this.#close();
    return { left };
  }
}
