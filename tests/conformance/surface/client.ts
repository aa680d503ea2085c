import type { Call, ClientStatus, InboundService, TeleQuickClient } from "@telequick/sdk";
import {
  DialplanAction,
  encodeReply,
  EventType,
  InboundRule,
  methods,
  SupervisionMode,
} from "@telequick/sdk/wire";
import { type Check, equal, ok, refused } from "../check.ts";
import { checksOf, type Rows } from "./rpc.ts";
import { CALL_SID, hangup, openStage } from "./stage.ts";

// The key of the function that sends is the client's own.
type Member = Extract<keyof TeleQuickClient, string> | typeof Symbol.asyncDispose;

const isCall = (value: unknown): void => equal((value as Call).sid, CALL_SID, "the call's id");

/** The reply of `SuperviseSubscribe` stands on a stream that stays open. */
async function* admitted(): AsyncIterable<Uint8Array> {
  yield encodeReply(methods.SuperviseSubscribe, { status: "OK" });
  await new Promise(() => {});
}

const dialplan = (
  action: number,
  appArgs: string,
): { readonly method: "ExecuteDialplan"; readonly request: Readonly<Record<string, unknown>> } => ({
  method: "ExecuteDialplan",
  request: { callSid: CALL_SID, action, appArgs },
});

const rows: Rows<TeleQuickClient, Member> = {
  dial: {
    kind: "rpc",
    invoke: (client, options) =>
      client.dial({
        to: "+15550100",
        trunkId: "trunk-1",
        callFrom: "+15550199",
        callSid: CALL_SID,
        maxDurationMs: 60_000,
        traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      }, options),
    method: "Originate",
    hangsUp: true,
    request: {
      trunkId: "trunk-1",
      to: "+15550100",
      callFrom: "+15550199",
      callSid: CALL_SID,
      maxDurationMs: 60_000,
      defaultApp: DialplanAction.PARK,
      bargeInPatienceMs: 250,
      clientId: "client-1",
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    },
    result: isCall,
  },
  warnings: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const warnings = stage.client.warnings();
      const next = warnings.next();
      await stage.client.close();
      equal(await next, { value: undefined, done: true }, "it ends with the client");
    },
  },
  call: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = stage.client.call(CALL_SID);
      isCall(call);
      ok(stage.client.call(CALL_SID) === call, "a call has one object");
      await call.hangUp();
      const { method, fields } = await stage.request();
      equal([method, fields["callSid"]], ["Terminate", CALL_SID]);
      await stage.event(hangup);
      equal((await call.ended).status, "COMPLETED");
    },
  },
  serveInbound: {
    kind: "other",
    async check() {
      let calls = [{ callSid: CALL_SID, callFrom: "+15550199", startTimestampMs: 1_000 }];
      await using stage = await openStage({ GetIncomingCalls: () => ({ calls }) });
      let service!: InboundService;
      const taken = new Promise<Call>((resolve) => {
        service = stage.client.serveInbound("trunk-1", resolve, { capacity: 1 });
      });
      const { method: lists, fields: { trunkId } } = await stage.request();
      equal([lists, trunkId], ["GetIncomingCalls", "trunk-1"]);
      // When its time has come, it looks whether the call still waits.
      let answer = await stage.request();
      while (answer.method === "GetIncomingCalls") answer = await stage.request();
      calls = [];
      const { method, fields } = answer;
      equal([method, fields["callSid"]], ["AnswerIncomingCall", CALL_SID]);
      equal(fields["clientId"], "client-1");
      const call = await taken;
      equal([call.sid, call.from, call.direction], [CALL_SID, "+15550199", "inbound"]);
      equal(service.stats(), { active: 1, answered: 1, missed: 0, failed: 0 });
      const closed = service.close();
      await stage.event(hangup);
      await closed;
    },
  },
  drain: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      const drained = stage.client.drain();
      await refused(stage.client.dial({ to: "+15550100", trunkId: "trunk-1" }), {
        code: "ERR_SESSION_CLOSED",
      });
      await stage.event(hangup);
      await call.ended;
      equal(await drained, { left: [] });
      equal(stage.client.state.type, "closed");
    },
  },
  answerIncomingCall: {
    kind: "rpc",
    invoke: (client, options) => client.answerIncomingCall({ callSid: CALL_SID }, options),
    method: "AnswerIncomingCall",
    hangsUp: true,
    request: { callSid: CALL_SID, clientId: "client-1" },
    result: isCall,
  },
  supervise: {
    kind: "rpc",
    invoke: (client, options) =>
      client.supervise({ callSid: CALL_SID, mode: SupervisionMode.WHISPER_CALLER }, options),
    method: "SuperviseSubscribe",
    request: {
      callSid: CALL_SID,
      mode: SupervisionMode.WHISPER_CALLER,
      supervisorId: "client-1",
      tenantId: "acme",
    },
    varies: ["authToken"],
    reply: admitted,
    result: (value) =>
      equal((value as { mode: number }).mode, SupervisionMode.WHISPER_CALLER, "mode"),
  },
  terminate: {
    kind: "rpc",
    invoke: (client, options) => client.terminate(CALL_SID, options),
    method: "Terminate",
    request: { callSid: CALL_SID },
  },
  barge: {
    kind: "rpc",
    invoke: (client, options) => client.barge(CALL_SID, options),
    method: "Barge",
    request: { callSid: CALL_SID },
  },
  streamEvents: {
    kind: "rpc",
    invoke: (client, options) => client.streamEvents("client-2", options),
    method: "StreamEvents",
    request: { clientId: "client-2" },
  },
  originateBulk: {
    kind: "rpc",
    invoke: (client, options) =>
      client.originateBulk({
        csvUrl: "https://files.test/list.csv",
        campaignId: "campaign-1",
        trunkId: "trunk-1",
        callsPerSecond: 5,
      }, options),
    method: "OriginateBulk",
    request: {
      csvUrl: "https://files.test/list.csv",
      campaignId: "campaign-1",
      templateTrunkId: "trunk-1",
      templateDefaultApp: DialplanAction.PARK,
      callsPerSecond: 5,
      maxConcurrentCalls: 10,
    },
    reply: { status: "RUNNING", loadedNumbers: 12 },
    result: (value) => equal(value, { status: "RUNNING", loadedNumbers: 12 }),
  },
  abortBulk: {
    kind: "rpc",
    invoke: (client, options) => client.abortBulk("campaign-1", options),
    method: "AbortBulk",
    request: { campaignId: "campaign-1" },
    reply: { status: "ABORTED", loadedNumbers: 3 },
    result: (value) => equal(value, { status: "ABORTED", loadedNumbers: 3 }),
  },
  setInboundRouting: {
    kind: "rpc",
    invoke: (client, options) =>
      client.setInboundRouting({
        trunkId: "trunk-1",
        rule: InboundRule.NOTIFY_AND_HANGUP,
        webhookUrl: "https://hooks.test/call",
      }, options),
    method: "SetInboundRouting",
    request: {
      trunkId: "trunk-1",
      rule: InboundRule.NOTIFY_AND_HANGUP,
      webhookUrl: "https://hooks.test/call",
    },
  },
  getIncomingCalls: {
    kind: "rpc",
    invoke: (client, options) => client.getIncomingCalls("trunk-1", options),
    method: "GetIncomingCalls",
    request: { trunkId: "trunk-1" },
    reply: { calls: [{ callSid: CALL_SID, callFrom: "+15550199", startTimestampMs: 1_000 }] },
    result: (value) =>
      equal(value, [{ callSid: CALL_SID, callFrom: "+15550199", startTimestampMs: 1_000 }]),
  },
  getActiveBuckets: {
    kind: "rpc",
    invoke: (client, options) => client.getActiveBuckets(options),
    method: "GetActiveBuckets",
    request: {},
    reply: { buckets: [{ bucketId: "bucket-1", activeCalls: 2 }] },
    result: (value) => equal((value as { bucketId: string }[])[0]?.bucketId, "bucket-1"),
  },
  getBucketCalls: {
    kind: "rpc",
    invoke: (client, options) => client.getBucketCalls("bucket-1", options),
    method: "GetBucketCalls",
    request: { bucketId: "bucket-1" },
    reply: { callSids: "call-1,call-2" },
    result: (value) => equal(value, ["call-1", "call-2"]),
  },
  executeBucketAction: {
    kind: "rpc",
    invoke: (client, options) => client.executeBucketAction("bucket-1", 7, options),
    method: "ExecuteBucketAction",
    request: { bucketId: "bucket-1", action: 7 },
    reply: { processedCount: 3 },
    result: (value) => equal(value, 3),
  },
  executeDialplan: {
    kind: "rpc",
    invoke: (client, options) =>
      client.executeDialplan(CALL_SID, DialplanAction.PLAYBACK, "hello.wav", options),
    ...dialplan(DialplanAction.PLAYBACK, "hello.wav"),
  },
  transfer: {
    kind: "rpc",
    invoke: (client, options) => client.transfer(CALL_SID, "sip:desk@pbx.test", options),
    ...dialplan(DialplanAction.TRANSFER, "sip:desk@pbx.test"),
  },
  mute: {
    kind: "rpc",
    invoke: (client, options) => client.mute(CALL_SID, { wire: true }, options),
    ...dialplan(DialplanAction.MUTE, "wire"),
  },
  unmute: {
    kind: "rpc",
    invoke: (client, options) => client.unmute(CALL_SID, { wire: true }, options),
    ...dialplan(DialplanAction.UNMUTE, "wire"),
  },
  hold: {
    kind: "rpc",
    invoke: (client, options) => client.hold(CALL_SID, options),
    ...dialplan(DialplanAction.HOLD, ""),
  },
  unhold: {
    kind: "rpc",
    invoke: (client, options) => client.unhold(CALL_SID, options),
    ...dialplan(DialplanAction.UNHOLD, ""),
  },
  sendDtmf: {
    kind: "rpc",
    invoke: (client, options) =>
      client.sendDtmf(CALL_SID, "5", { mode: "info", durationMs: 160 }, options),
    ...dialplan(DialplanAction.SEND_DTMF, "5:info:160"),
  },
  allocateWt: {
    kind: "rpc",
    invoke: (client, options) => client.allocateWt({ callSid: CALL_SID, agentId: "a" }, options),
    method: "AllocateWt",
    request: { callSid: CALL_SID, agentId: "a" },
    reply: { host: "media.test", port: 9_090 },
    result: (value) => {
      const { host, port } = value as { host: string; port: number };
      equal([host, port], ["media.test", 9_090]);
    },
  },
  state: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      equal(stage.client.state.type, "open", "it is the current status");
    },
  },
  clientId: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      equal(stage.client.clientId, "client-1");
      equal(stage.peer.requests[0]?.fields["clientId"], "client-1", "clientId of Authenticate");
    },
  },
  connect: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      await stage.client.connect();
      equal(stage.gateway.peers.length, 1, "sessions");
      equal(stage.peer.calls, ["Authenticate", "StreamEvents"], "what it sends");
    },
  },
  status: {
    kind: "other",
    async check() {
      const stage = await openStage();
      const seen: ClientStatus["type"][] = [];
      const watching = (async () => {
        for await (const { type } of stage.client.status()) seen.push(type);
      })();
      await stage.client.close();
      await watching;
      equal(seen, ["open", "closed"]);
    },
  },
  renew: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      await stage.client.renew();
      equal(stage.gateway.peers.length, 2, "sessions");
      equal(stage.client.stats().session.opened, 2, "sessions opened");
    },
  },
  events: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const events = stage.client.events();
      await stage.event({ ...hangup, callSid: "call-of-another-process" });
      const { value } = await events.next();
      equal(value?.callSid, "call-of-another-process");
      equal(value?.eventType, EventType.CHANNEL_HANGUP_COMPLETE);
    },
  },
  stats: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      await stage.client.getActiveBuckets();
      const { session, rpc } = stage.client.stats();
      equal([session.status, session.tenantId, session.opened], ["open", "acme", 1]);
      ok(rpc !== undefined, "RPCs are counted");
    },
  },
  check: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const report = await stage.client.check();
      ok(report.verdict !== "blocked", `the verdict is ${report.verdict}`);
      ok(report.roundTripsMs.length > 0, "round trips were measured");
      equal(stage.peer.calls.at(-1), "Terminate", "the clock is asked for");
    },
  },
  close: {
    kind: "other",
    async check() {
      const stage = await openStage();
      await stage.client.close();
      await stage.peer.session.closed;
      await refused(stage.client.getActiveBuckets(), { code: "ERR_SESSION_CLOSED" });
    },
  },
  [Symbol.asyncDispose]: {
    kind: "other",
    async check() {
      const stage = await openStage();
      await stage.client[Symbol.asyncDispose]();
      await stage.peer.session.closed;
      await refused(stage.client.getActiveBuckets(), { code: "ERR_SESSION_CLOSED" });
    },
  },
};

export const clientChecks: readonly Check[] = checksOf(
  "TeleQuickClient",
  rows,
  ({ client }) => Promise.resolve(client),
);
