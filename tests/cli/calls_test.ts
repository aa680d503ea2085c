import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import {
  fakePlatform,
  type FakePlatformOptions,
  recordsOf,
  runCli,
} from "../support/fake_platform.ts";
import { TeleQuickClient } from "../../mod.ts";
import { run } from "../../src/cli/run.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { type CliGateway, startCliGateway } from "../support/cli_gateway.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type TestAccount, testAccount } from "../support/tenant_kit.ts";

let gateway: CliGateway;

function cli(args: readonly string[], options: Omit<FakePlatformOptions, "args"> = {}) {
  return runCli(args, { env: gateway.env, ...options });
}

/** Starts a command that goes on until a signal. */
function start(args: readonly string[], env = gateway.env) {
  const fake = fakePlatform({ env, args });
  const code = run(fake.platform);
  const until = (part: string, times = 1) =>
    new Promise<void>((resolve) => {
      fake.onOutput((text) => text.split(part).length > times && resolve());
    });
  return { ...fake, code, until };
}

function events(records: readonly Record<string, unknown>[]): string[] {
  return records.filter(({ type }) => type === "event").map(({ event, status }) =>
    `${event} ${status}`
  );
}

/** A gateway that takes the settings of a console, and a service-account file that can be replaced. */
async function ownHouse(accounts: readonly TestAccount[]) {
  const folder = await temporaryFolder();
  const setup = createGateway();
  await setup.addTrunk({ tenantId: "acme", trunkId: "main" });
  for (const { tenantId, keyId: privateKeyId, publicKeyPem } of accounts) {
    await setup.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  }
  const { endpoint, certificateHash } = await setup.listen();
  const path = folder.at("account.json");
  const sign = async ({ tenantId, keyId, account }: TestAccount): Promise<void> => {
    const members = {
      tenant_id: tenantId,
      private_key_id: keyId,
      private_key: account.privateKey,
    };
    await writeFile(path, JSON.stringify(members), { mode: 0o600 });
  };
  await sign(accounts[0]!);
  return {
    setup,
    sign,
    env: {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: path,
      TELEQUICK_TRUNK: "main",
    },
    async [Symbol.asyncDispose]() {
      await setup.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe("against a gateway", () => {
  before(async () => {
    gateway = await startCliGateway();
  });

  after(async () => {
    await gateway.stop();
  });

  describe("telequick dial", () => {
    it("reports the events of a call that the far end ends, and exits with 0", async () => {
      const { code, records } = await cli(["dial", "+15550105", "--json"]);
      assert.equal(code, 0);
      assert.equal(records()[0]!["type"], "dialled");
      assert.deepEqual(events(records()), [
        "CHANNEL_CREATE INITIATED",
        "CHANNEL_CREATE RINGING",
        "CHANNEL_ANSWER ANSWERED",
        "CHANNEL_HANGUP_COMPLETE COMPLETED",
      ]);
      const { q850Cause, cause } = records().at(-1)!;
      assert.deepEqual({ q850Cause, cause }, { q850Cause: 16, cause: "normal call clearing" });
    });

    it("exits with 1 for a call that is not answered, and says why", async () => {
      for (
        const [to, why] of [["+15550101", /Q\.850 17 \(user busy\)/], [
          "+15550103",
          /Q\.850 21 \(call rejected\)/,
        ]] as const
      ) {
        const { code, stdout } = await cli(["dial", to]);
        assert.equal(code, 1);
        assert.match(stdout, why);
      }
    });

    it("exits with 1 for a call that the gateway refuses, and with 2 for an invalid number", async () => {
      const refused = await cli(["dial", "+15550108"]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /ERR_CIRCUIT_BREAKER \(4\)[\s\S]*telequick explain wire:4/);
      const foreign = await cli(["dial", "+15550100", "--trunk", "another-tenants"]);
      assert.equal(foreign.code, 1);
      assert.match(foreign.stderr, /ERR_INVALID_TRUNK \(1\)/);
      assert.equal((await cli(["dial", "5550100"])).code, 2);
      assert.equal((await cli(["dial", "+15550100", "--traceparent", "x"])).code, 2);
    });

    it("hangs up after the time that was given", async () => {
      const { code, records } = await cli([
        "dial",
        "+15550100",
        "--hang-up-after",
        "0.1",
        "--json",
      ]);
      assert.equal(code, 0);
      assert.equal(events(records()).at(-1), "CHANNEL_HANGUP_COMPLETE COMPLETED");
    });

    it("hangs up on Ctrl-C, reports the last event, and exits with 130", async () => {
      const dial = start(["dial", "+15550100", "--json"]);
      await dial.until("CHANNEL_ANSWER");
      dial.send("SIGINT");
      assert.equal(await dial.code, 130);
      assert.equal(events(recordsOf(dial.stdout())).at(-1), "CHANNEL_HANGUP_COMPLETE COMPLETED");
    });

    it("reports round trip, jitter and loss of an echo, and hangs up", async () => {
      const { code, records } = await cli([
        "dial",
        "+15550100",
        "--echo-test",
        "--seconds",
        "0.5",
        "--json",
      ]);
      assert.equal(code, 0);
      const echo = records().find(({ type }) => type === "echo")!;
      const { sent, returned, lost, unsent, foreign } = echo as Record<string, number>;
      assert.deepEqual({ sent, foreign }, { sent: 25, foreign: 0 });
      // A machine that was held up drops frames before they leave; none is lost on the way.
      assert.equal(lost, unsent);
      assert.equal(returned, sent! - lost!);
      const { p50, p99, max } = echo["roundTripMs"] as Record<string, number>;
      assert.ok(p50! > 0 && p50! <= p99! && p99! <= max!);
    });

    it("counts what a lossy far end loses", async () => {
      const { records } = await cli([
        "dial",
        "+15550107",
        "--echo-test",
        "--seconds",
        "1",
        "--json",
      ]);
      const echo = records().find(({ type }) => type === "echo") as Record<string, number>;
      const arrived = echo["sent"]! - echo["unsent"]!;
      assert.equal(echo["sent"], 50);
      assert.equal(echo["lost"]! - echo["unsent"]!, Math.floor(arrived / 10));
    });

    it("says of a far end that does not echo that it does not, and exits with 1", async () => {
      const { code, stdout } = await cli(["dial", "+15550106", "--echo-test", "--seconds", "0.2"]);
      assert.equal(code, 1);
      assert.match(stdout, /^None of 10 frames returned unchanged/m);
    });
  });

  describe("telequick dial, when its key is revoked", () => {
    for (const more of [[], ["--echo-test", "--seconds", "60"]]) {
      it(`says so once, and exits with 1 ${more.join(" ")}`, async () => {
        const account = await testAccount("acme");
        await using own = await ownHouse([account]);
        const dial = start(["dial", "+15550100", "--json", "--timeout", "2", ...more], own.env);
        await dial.until("CHANNEL_ANSWER");
        await own.setup.revokeServiceAccount({ tenantId: "acme", privateKeyId: account.keyId });
        assert.equal(await dial.code, 1);
        assert.deepEqual(recordsOf(dial.stderr()).map(({ code, refusal }) => [code, refusal]), [
          ["ERR_UNAUTHORIZED", "revoked"],
        ]);
      });
    }
  });

  describe("telequick dial --detach, hangup and barge", () => {
    it("leave a call to itself, cut its playback, and hang it up once", async () => {
      const { code, stdout } = await cli(["dial", "+15550100", "--detach"]);
      assert.equal(code, 0);
      const callSid = stdout.trim();
      assert.match(callSid, /^[0-9a-f-]{36}$/);
      assert.equal((await cli(["barge", callSid])).stdout, `Stopped the playback of ${callSid}\n`);
      assert.deepEqual((await cli(["hangup", callSid, "--json"])).records(), [{
        type: "hangup",
        callSid,
      }]);
      const again = await cli(["hangup", callSid]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /^error: Cannot hang up/);
    });
  });

  describe("telequick tail", () => {
    it("reports every call of the tenant until Ctrl-C, without failing", async () => {
      const tail = start(["tail", "--json"]);
      await tail.until('"listening"');
      const heard = tail.until("CHANNEL_HANGUP_COMPLETE");
      await cli(["dial", "+15550101"]);
      await heard;
      tail.send("SIGINT");
      assert.equal(await tail.code, 0);
      assert.deepEqual(events(recordsOf(tail.stdout())), [
        "CHANNEL_CREATE INITIATED",
        "CHANNEL_HANGUP_COMPLETE BUSY",
      ]);
    });

    it("ends with the one call that it was asked for", async () => {
      const callSid = crypto.randomUUID();
      const tail = start(["tail", "--call", callSid, "--json"]);
      await tail.until('"listening"');
      await cli(["dial", "+15550101"]);
      await cli(["dial", "+15550101", "--call-id", callSid]);
      assert.equal(await tail.code, 0);
      const heard = recordsOf(tail.stdout()).filter(({ type }) => type === "event");
      assert.equal(heard.length, 2);
      assert.ok(heard.every((event) => event["callSid"] === callSid));
    });
  });

  describe("telequick tail, in the long run", () => {
    it("hears every call on the session that replaces the first, too", async () => {
      const [first, second] = [await testAccount("acme"), await testAccount("acme", "second")];
      await using own = await ownHouse([first, second]);
      const { setup, env } = own;
      const tail = start(["tail", "--json"], env);
      await tail.until('"listening"');
      await own.sign(second);
      const replaced = tail.until('"listening"', 2);
      await setup.revokeServiceAccount({ tenantId: "acme", privateKeyId: first.keyId });
      await replaced;
      const heard = tail.until("CHANNEL_HANGUP_COMPLETE");
      assert.equal((await runCli(["dial", "+15550101"], { env })).code, 1, "busy");
      await heard;
      tail.send("SIGINT");
      assert.equal(await tail.code, 0);
    });

    it("looks at an instance's events without taking them from it", async () => {
      await using client = new TeleQuickClient(
        gateway.env["TELEQUICK_ENDPOINT"]!,
        gateway.env["TELEQUICK_CREDENTIALS"],
        false,
        gateway.env["TELEQUICK_CERTIFICATE_HASH"],
      );
      await client.connect();
      const tail = start(["tail", "--client-id", client.clientId, "--json"]);
      await tail.until('"listening"');
      const heard = tail.until("CHANNEL_HANGUP_COMPLETE");
      await cli(["dial", "+15550103"]);
      const trunkId = gateway.env["TELEQUICK_TRUNK"]!;
      const { sid, ended } = await client.dial({ to: "+15550101", trunkId });
      assert.equal((await ended).status, "BUSY");
      await heard;
      tail.send("SIGINT");
      await tail.code;
      const told = recordsOf(tail.stdout()).filter(({ type }) => type === "event");
      assert.ok(told.length > 0 && told.every(({ callSid }) => callSid === sid));
    });
  });

  describe("telequick dialplan", () => {
    it("refuses a verb that does not exist or lacks its argument, before anything is sent", async () => {
      const wrong: readonly [args: string[], message: RegExp][] = [
        [["c", "holdd"], /Unknown verb "holdd" \(did you mean hold\?\)/],
        [["c", "transfer"], /Verb transfer needs its TARGET/],
        [["c", "hold", "x"], /Verb hold takes no argument/],
      ];
      for (const [args, message] of wrong) {
        const { code, stderr } = await cli(["dialplan", ...args]);
        assert.equal(code, 2);
        assert.match(stderr, message);
      }
      const { code, stderr } = await cli(["dialplan", "c", "dtmf", "x"]);
      assert.equal(code, 2);
      assert.match(stderr, /digit/);
    });

    it("holds, mutes, sends digits and transfers a live call, and says what the gateway refuses", async () => {
      const tail = start(["tail", "--json"]);
      await tail.until('"listening"');
      const callSid = (await cli(["dial", "+15550100", "--detach"])).stdout.trim();
      await tail.until("CHANNEL_ANSWER");
      tail.send("SIGINT");
      await tail.code;
      const verbs = [["hold"], ["unhold"], ["mute"], ["unmute"], ["dtmf", "42#"], ["park"]];
      for (const [verb, argument] of verbs) {
        const words = argument === undefined ? [verb!] : [verb!, argument];
        const { code, records } = await cli(["dialplan", callSid, ...words, "--json"]);
        assert.equal(code, 0, verb);
        assert.deepEqual(records(), [
          { type: "dialplan", callSid, verb, ...(argument !== undefined && { argument }) },
        ]);
      }
      const refused = await cli(["dialplan", callSid, "answer"]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /ERR_VALIDATION_FAILED \(6\)/);
      assert.equal((await cli(["dialplan", callSid, "transfer", "+15550105"])).code, 0);
    });
  });

  describe("telequick bulk", () => {
    it("calls the numbers of a file to the last, and counts what became of them", async () => {
      await using folder = await temporaryFolder();
      const rows = ["to", "+15550101", "+15550103", "+15550105", "nonsense", "+15550104"];
      await writeFile(folder.at("numbers.csv"), rows.join("\n"));
      const { code, records } = await cli([
        ...["bulk", folder.at("numbers.csv"), "--rate", "20", "--json"],
      ]);
      assert.equal(code, 1, "a row was skipped, and two failed");
      const { wallMs: _, campaignId, ...report } = records().at(-1)!;
      const of = (name: string) => records().filter(({ type }) => type === name);
      assert.equal(campaignId, of("campaign")[0]!["campaignId"]);
      assert.deepEqual(of("skipped").map(({ line }) => line), [5]);
      assert.deepEqual(of("result").map(({ to, status }) => `${to} ${status}`).sort(), [
        "+15550101 BUSY",
        "+15550103 FAILED",
        "+15550104 FAILED",
        "+15550105 COMPLETED",
      ]);
      assert.deepEqual(report, {
        type: "bulk",
        loaded: 4,
        done: 4,
        answered: 1,
        failed: 2,
        undialled: 0,
        unknown: 0,
        statuses: { BUSY: 1, FAILED: 2, COMPLETED: 1 },
      });
    });

    it("drops what is pending on Ctrl-C, waits for the calls that are up, and exits with 130", async () => {
      await using folder = await temporaryFolder();
      const rows = ["to", ...Array.from({ length: 200 }, () => "+15550105")];
      await writeFile(folder.at("numbers.csv"), rows.join("\n"));
      const bulk = start([
        ...["bulk", folder.at("numbers.csv"), "--rate", "2", "--events", "--json"],
      ]);
      await bulk.until("CHANNEL_ANSWER");
      bulk.send("SIGINT");
      assert.equal(await bulk.code, 130);
      const records = recordsOf(bulk.stdout());
      const { done, undialled, loaded } = records.at(-1) as Record<string, number>;
      assert.equal(loaded, 200);
      assert.equal(done! + undialled!, 200);
      assert.ok(undialled! > 150);
      const ended = records.filter(({ event }) => event === "CHANNEL_HANGUP_COMPLETE");
      assert.equal(ended.length, 200, "every row ends");
      const called = ended.filter(({ q850Cause }) => q850Cause !== 31);
      assert.equal(called.length, done, "every call that was up was followed to its end");
    });

    it("exits with 1 where the gateway takes nothing, and with 2 where there is no file", async () => {
      const refused = await cli(["bulk", "https://files.example/numbers.csv"]);
      assert.equal(refused.code, 1);
      const missing = await cli(["bulk", "no-such-file.csv"]);
      assert.equal(missing.code, 2);
      assert.match(missing.stderr, /Cannot read "no-such-file\.csv": no such file/);
    });
  });

  describe("telequick load", () => {
    it("places calls, measures, and reports each failure", async () => {
      const good = await cli([
        "load",
        "--calls",
        "6",
        "--rate",
        "20",
        "--seconds",
        "0.4",
        "--sessions",
        "2",
        "--json",
      ]);
      assert.equal(good.code, 0);
      const report = good.records()[0]!;
      assert.deepEqual(report["calls"], { dialled: 6, done: 6, failed: 0 });
      const { sent, returned, lost, unsent, foreign } = report["frames"] as Record<string, number>;
      assert.deepEqual({ sent, foreign }, { sent: 120, foreign: 0 });
      assert.equal(lost, unsent);
      assert.equal(returned, sent! - lost!);
      for (const name of ["dialMs", "answerMs", "roundTripMs"]) {
        const { p50, p95, p99, max } = report[name] as Record<string, number>;
        assert.ok(0 < p50! && p50! <= p95! && p95! <= p99! && p99! <= max!, name);
      }
      for (const name of ["cpuMs", "wallMs", "peakMemoryBytes", "cpuPerFrameUs"]) {
        assert.ok(Number(report[name]) > 0, name);
      }
      const bad = await cli(["load", "--calls", "2", "--to", "+15550101"]);
      assert.equal(bad.code, 1);
      assert.match(
        bad.stdout,
        /^2 calls in .*: 0 done, 2 failed\n {2}2 times: Call was not answered: BUSY/,
      );
    });

    it("hangs up on Ctrl-C, reports what there was, and exits with 130", async () => {
      const load = start(["load", "--calls", "100", "--rate", "5", "--seconds", "60", "--json"]);
      const tail = start(["tail", "--json"]);
      await tail.until("CHANNEL_ANSWER");
      load.send("SIGINT");
      assert.equal(await load.code, 130);
      const [report] = recordsOf(load.stdout());
      const { dialled, done } = report!["calls"] as Record<string, number>;
      assert.ok(dialled! < 100);
      assert.equal(done, dialled);
      tail.send("SIGINT");
      await tail.code;
    });

    it("refuses a gateway that is not on this machine", async () => {
      for (
        const endpoint of ["https://engine.telequick.dev:9090", "https://127.0.0.1.evil.example"]
      ) {
        const { code, stderr } = await cli(["load", "--endpoint", endpoint]);
        assert.equal(code, 2);
        assert.match(stderr, /it is another machine/);
      }
    });
  });
});
