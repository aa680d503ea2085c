/**
 * Supervision: a session joins a live call, receives both sides, and speaks to one, the other or both.
 *
 * @module
 */

import { verifyToken } from "../../token/mod.ts";
import {
  type AudioFrameEncoder,
  ErrorCode,
  methods,
  type SuperviseSubscribeRequest,
  SupervisionMode,
} from "../../wire/mod.ts";
import { cannotCheck, isUnavailable, verifyOptions } from "../auth/admit.ts";
import { Mixer } from "../call/mixer.ts";
import type { Call } from "../call/call.ts";
import { unknownCall } from "./call_control.ts";
import { RpcRefusal } from "../refusal.ts";
import type { CallMedia } from "../call/media.ts";
import type { Tap } from "../call/tap.ts";
import { type AudioSource, FrameEncoders } from "../call/audio_source.ts";
import { isLive, type KeyEntry } from "../auth/key_entry.ts";
import {
  type Route,
  route,
  type RpcContext,
  type RpcStream,
  type SupervisorVoice,
} from "./route.ts";
import type { Ticker } from "../call/ticker.ts";

const SCOPE = "telephony:supervise";

/** `SuperviseSubscribe`. Its stream stays open: the side that ends it ends the supervision. */
export const superviseRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.SuperviseSubscribe,
    scope: [SCOPE],
    async handle(request, context, stream) {
      const refusal = await mayProceed(request.authToken, context);
      if (refusal !== undefined) return refusal;
      return join(request, context, stream) ?? { status: "OK" };
    },
  }),
];

const notAccepted = new RpcRefusal(ErrorCode.ERR_UNAUTHORIZED, "auth_token is not accepted");

/** What refuses a token that does not let its bearer supervise: of the session's own tenant, and a service account's or one with the scope. */
async function mayProceed(
  token: string,
  { principal, session, gateway }: RpcContext,
): Promise<RpcRefusal | undefined> {
  let key: KeyEntry | undefined;
  try {
    const verified = await verifyToken(
      token,
      verifyOptions(gateway, (found) => key = found),
    );
    if (gateway.registry.doubt(key!) !== undefined) return cannotCheck;
    const { kind, scope, tenantId } = verified;
    const isAllowed = kind === "sdk" || (scope?.split(" ").includes(SCOPE) ?? false);
    const isGood = isAllowed && tenantId === principal.tenantId && session.isLive &&
      isLive(key!, gateway.clock.now());
    return isGood ? undefined : notAccepted;
  } catch (error) {
    return isUnavailable(error) ? cannotCheck : notAccepted;
  }
}

function join(
  { callSid, mode }: SuperviseSubscribeRequest,
  { tenant, session, gateway, ids }: RpcContext,
  stream: RpcStream,
): RpcRefusal | undefined {
  const call = tenant.callFor(session.access, callSid, "supervise");
  if (call === undefined) return unknownCall;
  if (mode > SupervisionMode.AGENTIC_MONITOR) return unfit("mode is unknown");
  const { media } = call;
  if (media === undefined) return unfit(`The call is ${call.state}, expected answered`);
  if (media.taps.size >= gateway.limits.supervisorsPerCall) {
    return unfit("The call has too many supervisors");
  }
  if (session.supervisions.has(call)) return unfit("This session supervises the call already");
  if (tenant.listenerOf(call) === session) {
    return unfit("This session holds the call itself: supervise it from another one");
  }
  const supervision = new Supervision({ call, media, mode, session, ticker: tenant.ticker });
  session.supervisions.set(call, supervision);
  const finish = stream.keepOpen(() => {
    forget();
    supervision.close();
    session.supervisions.delete(call);
  });
  // The stream's own end does the rest, but the last frame goes out now.
  const forget = call.onEnd(() => {
    supervision.close();
    finish();
  });
  gateway.log("call.supervised", { ...ids, callSid, count: mode });
  return undefined;
}

function unfit(message: string): RpcRefusal {
  return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, message);
}

interface SupervisionOptions {
  readonly call: Call;
  readonly media: CallMedia;
  readonly mode: number;
  readonly session: RpcContext["session"];
  readonly ticker: Ticker;
}

/** One supervisor on one call. */
export class Supervision implements Tap, AudioSource, SupervisorVoice {
  readonly #options: SupervisionOptions;
  /** Both sides on one line: the far end first, the client mixed in. */
  readonly #heard: Mixer;
  readonly #encoders: FrameEncoders;
  #next = 0;
  #isOver = false;

  constructor(options: SupervisionOptions) {
    this.#options = options;
    this.#encoders = new FrameEncoders(options.call.callSid);
    this.#heard = new Mixer({
      ticker: options.ticker,
      say: (payload) => this.#say(payload, "PCMU", false),
    });
    options.media.taps.add(this);
  }

  caller(payload: Uint8Array, codec: string): void {
    this.#say(this.#heard.mix(payload, codec), codec, false);
  }

  agent(payload: Uint8Array, codec: string): void {
    this.#heard.add(payload, codec);
  }

  encoder(codec: string): AudioFrameEncoder {
    return this.#encoders.of(codec);
  }

  /** Takes a packet of the supervisor's. Returns `false` when its mode lets neither side hear it. */
  speak(payload: Uint8Array, codec: string): boolean {
    const { media, mode } = this.#options;
    const toAgent = mode === SupervisionMode.WHISPER_AGENT || mode === SupervisionMode.BARGE;
    const toCaller = mode === SupervisionMode.WHISPER_CALLER || mode === SupervisionMode.BARGE;
    if (toAgent) media.toAgent.add(payload, codec);
    if (toCaller) media.toCaller.add(payload, codec);
    return toAgent || toCaller;
  }

  /** Leaves the call; the supervisor's audio ends. */
  close(): void {
    if (this.#isOver) return;
    this.#options.media.taps.delete(this);
    this.#heard.close();
    this.#say(new Uint8Array(0), "PCMU", true);
    this.#isOver = true;
  }

  #say(payload: Uint8Array, codec: string, endOfStream: boolean): void {
    if (this.#isOver) return;
    const speech = { payload, codec, sequenceNumber: this.#next++ };
    this.#options.session.audio(this, speech, endOfStream);
  }
}
