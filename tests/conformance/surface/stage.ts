import { type Call, type ClientOptions, signToken, TeleQuickClient } from "@telequick/sdk";
import {
  type Script,
  type ScriptedGateway,
  scriptedGateway,
  type ScriptedPeer,
  type ScriptedRequest,
} from "@telequick/sdk/testing";
import { type CallEvent, EventType, methods } from "@telequick/sdk/wire";
import { goldenSigner } from "../token.ts";

/** The one call of a stage. */
export const CALL_SID = "call-1";

/** A client on a gateway that follows scripts. */
export interface Stage extends AsyncDisposable {
  readonly client: TeleQuickClient;
  readonly gateway: ScriptedGateway;
  /** The gateway's side of the one session. */
  readonly peer: ScriptedPeer;
  /** Every frame of audio that the gateway received, undecoded, by stream. */
  readonly audio: ReadableStream<Uint8Array>[];
  /** Places the call and forgets that it was requested. */
  dial(): Promise<Call>;
  /** Pushes an event of the call. */
  event(fields: Partial<CallEvent>): Promise<void>;
  /** Resolves with the next request that is not the dial's. */
  request(): Promise<ScriptedRequest>;
}

/** Opens a stage. What `scripts` does not name succeeds. */
export async function openStage(
  scripts: Readonly<Record<string, Script>> = {},
  options: ClientOptions = {},
): Promise<Stage> {
  const audio: ReadableStream<Uint8Array>[] = [];
  const arrivals: (() => void)[] = [];
  let taken = 0;
  // Every request passes here, so that a wait for the next one needs no timer.
  const noted = (name: string): Script => (request, peer) => {
    for (const arrive of arrivals.splice(0)) arrive();
    return (scripts[name] ?? replies[name] ?? (() => ({})))(request, peer);
  };
  const names = Object.keys(methods).filter((name) => name !== "Authenticate");
  const gateway = scriptedGateway({
    scripts: Object.fromEntries(names.map((name) => [name, noted(name)])),
    onUni: (stream) => audio.push(stream),
  });
  const token = await signToken(await goldenSigner());
  const client = new TeleQuickClient("https://gateway.test", () => token, true, {
    webTransport: gateway.webTransport,
    clientId: "client-1",
    // A gateway that never reads the audio must not keep a check waiting.
    drainTimeoutMs: 100,
    ...options,
  });
  await client.connect();
  const peer = gateway.peers[0]!;
  taken = peer.requests.length;
  return {
    ...{ client, gateway, peer, audio },
    async dial() {
      const call = await client.dial({ to: "+15550100", trunkId: "trunk-1", callSid: CALL_SID });
      taken = peer.requests.length;
      return call;
    },
    event: (fields) => peer.push(methods.CallEvent, { callSid: CALL_SID, ...fields }),
    async request() {
      while (peer.requests.length <= taken) {
        await new Promise<void>((resolve) => arrivals.push(resolve));
      }
      return peer.requests[taken++]!;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
    },
  };
}

const replies: Readonly<Record<string, Script>> = {
  Originate: (request) => ({ callSid: (request as { callSid: string }).callSid }),
};

/** The far end picks up. */
export const answer: Partial<CallEvent> = {
  eventType: EventType.CHANNEL_ANSWER,
  status: "ANSWERED",
  answerTimestampMs: 2_000,
  timestampMs: 2_000,
};

/** The call ends normally. */
export const hangup: Partial<CallEvent> = {
  eventType: EventType.CHANNEL_HANGUP_COMPLETE,
  status: "COMPLETED",
  q850Cause: 16,
  durationSeconds: 3,
  timestampMs: 5_000,
};
