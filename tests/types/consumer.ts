/**
 * How a user of the package writes against its types: what has to compile, and what must not. Nothing here runs.
 *
 * @module
 */

import {
  type Call,
  type CallEvent,
  type ClientOptions,
  type ClientStatus,
  ErrorCode,
  importSigner,
  loadServiceAccount,
  type ReceivedFrame,
  type ServiceAccount,
  type Signer,
  TeleQuickClient,
  TeleQuickError,
  type TeleQuickErrorCode,
} from "@telequick/sdk";
import { audioCodecs, decodePcmu, Packetizer } from "@telequick/sdk/audio";
import { main } from "@telequick/sdk/cli";
import { createGateway, type Gateway } from "@telequick/sdk/gateway";
import { importVerifyingKey, mintBrowserToken, verifyToken } from "@telequick/sdk/token";
import { AudioFrame, FrameReader, type Message, messages, methods } from "@telequick/sdk/wire";

/** Whether two types are the same one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Compiles when what stands between the angle brackets is `true`. */
function holds<_Claim extends true>(): void {}

export async function talk(account: ServiceAccount): Promise<void> {
  await using client = new TeleQuickClient("https://gateway.test:9090", account);
  await client.connect({ signal: AbortSignal.timeout(5_000) });
  await using call = await client.dial({ to: "+15550100", trunkId: "trunk" });
  holds<Same<typeof call, Call>>();
  for await (const event of call.events()) holds<Same<typeof event, CallEvent>>();
  const link = call.audio({ codec: "PCMU", sampleRate: 16000 });
  const { value: frame } = await link.readable.getReader().read();
  if (frame !== undefined) {
    holds<Same<typeof frame, ReceivedFrame>>();
    holds<Same<typeof frame.payload, Uint8Array>>();
  }
  const writer = link.writable.getWriter();
  await writer.write(new Uint8Array(160));
  await writer.write(new Int16Array(160));
  // @ts-expect-error: text is not audio
  await writer.write("hello");
  // @ts-expect-error: a number has to be dialled
  await client.dial({ trunkId: "trunk" });
  // @ts-expect-error: there is no such codec
  call.audio({ codec: "opus" });
  // @ts-expect-error: what a call says of itself is not to be written
  call.sid = "other";
}

export function credentials(): readonly TeleQuickClient[] {
  const url = "https://gateway.test";
  const options: ClientOptions = { connectTimeoutMs: 1000, log: (record) => record.event };
  return [
    new TeleQuickClient(url),
    new TeleQuickClient(url, "service-account.json", false, options),
    new TeleQuickClient(url, ({ reason, signal }) => {
      holds<Same<typeof signal, AbortSignal>>();
      return Promise.resolve(`token for ${reason}`);
    }, true),
    new TeleQuickClient(url, "token", true, "a certificate's hash"),
    // @ts-expect-error: the endpoint is text
    new TeleQuickClient(9090),
    // @ts-expect-error: a misspelt option
    new TeleQuickClient(url, "token", true, { conectTimeoutMs: 1 }),
  ];
}

export function statusIn({ type, ...rest }: ClientStatus): string {
  return `${type} ${Object.keys(rest).length}`;
}

export function delayOf(status: ClientStatus): number {
  // @ts-expect-error: only a status that reconnects has a delay
  status.delayMs;
  return status.type === "reconnecting" ? status.delayMs : 0;
}

export function codeOf(error: unknown): TeleQuickErrorCode | undefined {
  if (!(error instanceof TeleQuickError)) return undefined;
  // @ts-expect-error: there is no such code
  if (error.code === "ERR_NONE") return undefined;
  holds<Same<typeof error.retryable, boolean>>();
  return error.rpcCode === ErrorCode.ERR_RATE_LIMITED ? error.code : undefined;
}

export async function keys(publicKeyPem: string): Promise<string> {
  const signer: Signer = await importSigner(await loadServiceAccount());
  const key = await importVerifyingKey(publicKeyPem);
  // The runtime's own type of a key.
  const native: Awaited<ReturnType<typeof crypto.subtle.exportKey>> = await crypto.subtle
    .exportKey("spki", key);
  await crypto.subtle.sign("RSASSA-PKCS1-v1_5", signer.key, new Uint8Array(1));
  const token = await mintBrowserToken(signer, { origin: "https://app.example" });
  const { tenantId, claims } = await verifyToken(token, {
    resolveKey: (kid) => kid === "first" ? { tenantId: "acme", key } : undefined,
  });
  holds<Same<typeof claims, Readonly<Record<string, unknown>>>>();
  return `${tenantId} ${typeof native}`;
}

export async function* audioOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Int16Array> {
  const reader = new FrameReader();
  for await (const chunk of chunks) {
    for (const { methodId, envelope } of reader.push(chunk)) {
      if (methodId === methods.AudioFrame.id) yield decodePcmu(AudioFrame.decode(envelope).payload);
    }
  }
}

export function wire(): void {
  holds<Same<typeof AudioFrame, Message<AudioFrame>>>();
  const decoded = messages.CallEvent.decode(messages.CallEvent.encode({ callSid: "c" }));
  holds<Same<typeof decoded, CallEvent>>();
  holds<Same<typeof methods.Terminate.id, 3834253405>>();
  holds<Same<typeof methods.Terminate.request, Message<messages.TerminateRequest>>>();
  const event: Partial<messages.CallEvent> = { eventType: messages.EventType.CHANNEL_ANSWER };
  const unknownEvent: Partial<messages.CallEvent> = { ...event, eventType: 99 };
  holds<Same<NonNullable<typeof unknownEvent.eventType>, messages.EventType>>();
  // @ts-expect-error: an event's type is a number
  messages.CallEvent.encode({ eventType: "CHANNEL_ANSWER" });
  // @ts-expect-error: there is no such method
  methods.Terminated;
  // @ts-expect-error: there is no such field
  messages.CallEvent.encode({ call_sid: "c" });
  const frames = new Packetizer(audioCodecs.PCMU).push(new Uint8Array(320));
  holds<Same<(typeof frames)[number], ReturnType<Uint8Array["slice"]>>>();
}

export async function gatewayOf(): Promise<Gateway> {
  const gateway = createGateway({ log: ({ event }) => event });
  const { endpoint, certificateHash } = await gateway.listen({ port: 0 });
  new TeleQuickClient(endpoint, undefined, false, certificateHash);
  new TeleQuickClient(endpoint, undefined, false, { webTransport: gateway.webTransport });
  return gateway;
}

export const command: () => Promise<void> = main;
