import type { Call } from "@telequick/sdk";
import { DialplanAction } from "@telequick/sdk/wire";
import { type Check, equal, ok, refused } from "../check.ts";
import { checksOf, type Rows } from "./rpc.ts";
import { answer, CALL_SID, hangup, openStage } from "./stage.ts";

const dialplan = (
  action: number,
  appArgs: string,
): { readonly method: "ExecuteDialplan"; readonly request: Readonly<Record<string, unknown>> } => ({
  method: "ExecuteDialplan",
  request: { callSid: CALL_SID, action, appArgs },
});

type Facts = Pick<Call, "to" | "from" | "trunkId" | "direction">;

/** What is known of a call that was dialled. */
function facts(expected: Facts): Rows<Facts> {
  const row = (name: keyof Facts) => ({
    kind: "other" as const,
    async check() {
      await using stage = await openStage();
      equal((await stage.dial())[name], expected[name], name);
    },
  });
  return { to: row("to"), from: row("from"), trunkId: row("trunkId"), direction: row("direction") };
}

const rows: Rows<Call> = {
  hangUp: {
    kind: "rpc",
    invoke: (call, options) => call.hangUp(options),
    method: "Terminate",
    request: { callSid: CALL_SID },
  },
  barge: {
    kind: "rpc",
    invoke: (call, options) => call.barge(options),
    method: "Barge",
    request: { callSid: CALL_SID },
  },
  transfer: {
    kind: "rpc",
    invoke: (call, options) => call.transfer("+15550123", options),
    ...dialplan(DialplanAction.TRANSFER, "+15550123"),
  },
  mute: {
    kind: "rpc",
    invoke: (call, options) => call.mute({ wire: true, ...options }),
    ...dialplan(DialplanAction.MUTE, "wire"),
  },
  unmute: {
    kind: "rpc",
    invoke: (call, options) => call.unmute({ wire: true, ...options }),
    ...dialplan(DialplanAction.UNMUTE, "wire"),
  },
  hold: {
    kind: "rpc",
    invoke: (call, options) => call.hold(options),
    ...dialplan(DialplanAction.HOLD, ""),
  },
  unhold: {
    kind: "rpc",
    invoke: (call, options) => call.unhold(options),
    ...dialplan(DialplanAction.UNHOLD, ""),
  },
  sendDtmf: {
    kind: "rpc",
    invoke: (call, options) => call.sendDtmf("#", { durationMs: 400, ...options }),
    ...dialplan(DialplanAction.SEND_DTMF, "#:rfc2833:400"),
  },
  sid: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      equal((await stage.dial()).sid, CALL_SID);
    },
  },
  callSid: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      equal((await stage.dial()).callSid, CALL_SID);
    },
  },
  ...facts({ to: "+15550100", trunkId: "trunk-1", from: undefined, direction: "outbound" }),
  state: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      equal(call.state, "dialing");
      await stage.event(answer);
      await call.answered();
      equal(call.state, "answered");
      await stage.event(hangup);
      await call.ended;
      equal(call.state, "ended");
    },
  },
  answered: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      const reason = new Error("enough");
      const aborted = await call.answered({ signal: AbortSignal.abort(reason) })
        .catch((error: unknown) => error);
      ok(aborted === reason, "it rejects with the signal's reason");
      await stage.event(answer);
      equal((await call.answered()).answerTimestampMs, 2_000);
    },
  },
  ended: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      const unanswered = refused(call.answered(), { code: "ERR_CALL_ENDED" });
      await stage.event(hangup);
      const { status, q850Cause, cause, durationSeconds } = await call.ended;
      equal(
        [status, q850Cause, cause, durationSeconds],
        ["COMPLETED", 16, "normal call clearing", 3],
      );
      await unanswered;
    },
  },
  events: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      await stage.event(answer);
      await call.answered();
      await stage.event(hangup);
      const seen: string[] = [];
      for await (const { status } of call.events()) seen.push(status);
      equal(seen, ["ANSWERED", "COMPLETED"]);
    },
  },
  warnings: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      const warnings = call.warnings();
      await stage.event(hangup);
      equal(await warnings.next(), { value: undefined, done: true }, "it ends with the call");
    },
  },
  audio: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      const link = call.audio({ codec: "PCMA" });
      equal([link.callSid, link.codec], [CALL_SID, "PCMA"]);
      ok(call.audio() === link, "the open link is the one that is returned");
      await link.close();
      await refused(() => call.audio({ leadMs: 1 }), { code: "ERR_VALUE_INVALID" });
    },
  },
  [Symbol.asyncDispose]: {
    kind: "other",
    async check() {
      await using stage = await openStage();
      const call = await stage.dial();
      await call[Symbol.asyncDispose]();
      const { method, fields } = await stage.request();
      equal([method, fields["callSid"]], ["Terminate", CALL_SID]);
    },
  },
};

export const callMemberChecks: readonly Check[] = checksOf("Call", rows, (stage) => stage.dial());
