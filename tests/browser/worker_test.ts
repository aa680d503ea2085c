import { deepStrictEqual as same, match, ok, strictEqual as equal } from "node:assert/strict";
import { openStage, type Stage } from "./support/stage.ts";
import { until } from "./support/wait.ts";

interface Outcome {
  readonly code?: string;
  readonly name?: string;
  readonly message?: string;
}

async function plays(stage: Stage): Promise<void> {
  await until(
    () => stage.call<{ output: number }>("level"),
    ({ output }) => output > 0.02,
  );
}

Deno.test("a client in a Worker", async (t) => {
  await using stage = await openStage();
  await stage.call("open", {});

  await t.step("carries a call's audio, and asks the page for its token", async () => {
    await stage.call("dial", { inWorker: true });
    await plays(stage);
    equal(await stage.call("tokensAsked"), 1);
    same(await stage.call("statuses"), ["idle", "connecting", "open"]);
  });

  await t.step(
    "does what the call's verbs say, and refuses what is wrong with the same errors",
    async () => {
      for (
        const verb of [["hold"], ["unhold"], ["mute"], ["unmute"], ["sendDtmf", "1w2"], ["barge"]]
      ) {
        same(await stage.call("verb", verb), { value: undefined }, verb[0]);
      }
      const { code, message } = await stage.call<Outcome>("verb", ["sendDtmf", "x"]);
      equal(code, "ERR_VALUE_INVALID");
      match(message!, /x/);
    },
  );

  await t.step("clear() says what was heard", async () => {
    const { value } = await stage.call<{ value: { playedMs: number } }>("clear");
    ok(value.playedMs > 0);
    await plays(stage);
  });

  await t.step("a page that is busy loses nothing of what it plays", async () => {
    const stats = (): Promise<{ playedMs: number }> => stage.call("stats");
    const before = await stats();
    await stage.call("busy", [300, 2]);
    // All the while sound was played: the audio thread and the Worker do not wait for the page.
    await until(stats, ({ playedMs }) => playedMs > before.playedMs + 1_500);
  });

  await t.step("a call that is disconnected can be connected again at once", async () => {
    const stats = (): Promise<{ playedMs: number }> => stage.call("stats");
    same(await stage.call("reconnect"), { value: undefined });
    const { playedMs } = await stats();
    await until(stats, (now) => now.playedMs > playedMs + 300);
  });

  await t.step("connects another call", async () => {
    await stage.call("dialAnother");
    await plays(stage);
  });

  await t.step("the call's events and its end arrive, and its audio ends with it", async () => {
    await stage.call("hangUp");
    const { seen, state, cause } = await stage.call<Record<string, unknown>>("callEvents");
    same(seen, ["INITIATED", "RINGING", "ANSWERED", "COMPLETED"]);
    equal(state, "ended");
    equal(cause, "normal call clearing");
    same(await stage.call("verb", ["hangUp"]), { value: undefined });
    equal((await stage.call<Outcome>("verb", ["hold"])).code, "ERR_CALL_ENDED");
    equal((await stage.call<Outcome>("connect")).code, "ERR_CALL_ENDED");
  });

  await t.step("close() ends the session, and what comes after it is refused", async () => {
    same(await stage.call("closeClient"), { value: undefined });
    same(await stage.call("statuses"), ["closed"]);
    await stage.call("close");
  });
});

Deno.test("a Worker that serves no client is not waited for longer than asked", async () => {
  await using stage = await openStage();
  equal((await stage.call<Outcome>("idleWorker")).name, "TimeoutError");
  const { code, message } = await stage.call<Outcome>("missingWorker");
  equal(code, "ERR_SESSION_CLOSED");
  match(message!, /The Worker failed: .*could not be loaded/);
});
