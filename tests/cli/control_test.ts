import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { type CliGateway, startCliGateway } from "../support/cli_gateway.ts";
import { recordsOf, runCli } from "../support/fake_platform.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Runs `telequick` with what a gateway printed for the environment. */
async function at({ env }: CliGateway, ...args: readonly string[]) {
  return await runCli(args, { env });
}

describe("telequick gateway faults", () => {
  it("sets, lists and removes faults of the gateway, a tenant and a trunk", async () => {
    const gateway = await startCliGateway();
    const set = await at(gateway, ..."gateway faults --loss-percent 2.5 --jitter-ms 40".split(" "));
    assert.equal(set.code, 0, set.stderr);
    assert.equal(set.stdout, "Set for the whole gateway: 2.5 % lost, jitter up to 40 ms\n");
    const trunk = ["--tenant", "acme", "--trunk=-x"];
    const refused = await at(gateway, ..."gateway faults --refuse-with 4".split(" "), ...trunk);
    assert.equal(refused.stdout, "Set for trunk -x of tenant acme: dials refused with 4\n");
    const listed = await at(gateway, "gateway", "faults", "--json");
    assert.deepEqual(recordsOf(listed.stdout), [
      { type: "faults", at: {}, faults: { lossPercent: 2.5, jitterMs: 40 } },
      { type: "faults", at: { tenantId: "acme", trunkId: "-x" }, faults: { refuseWith: 4 } },
    ]);
    const cleared = await at(gateway, "gateway", "faults", "--clear");
    assert.equal(cleared.stdout, "No faults are set for the whole gateway now\n");
    assert.equal(cleared.stderr, "Faults are still set for trunk -x of tenant acme\n");
    const last = await at(gateway, "gateway", "faults", "--clear", ...trunk, "--json");
    const place = { tenantId: "acme", trunkId: "-x" };
    assert.deepEqual(recordsOf(last.stdout), [{ type: "faults", at: place, faults: null }]);
    const none = await at(gateway, "gateway", "faults");
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, "", "No faults are set\n"]);
    await gateway.stop();
  });

  it("acts on the gateway that runs: dials are refused, and sessions are lost, until it is removed", async () => {
    const gateway = await startCliGateway();
    const { env } = gateway;
    const dial = () => runCli(["dial", "+15550105", "--json"], { env });
    const place = ["--tenant", "acme"];
    await at(gateway, "gateway", "faults", "--refuse-with", "7", ...place);
    const refused = await dial();
    assert.equal(refused.code, 1);
    assert.match(refused.stdout + refused.stderr, /PERMISSION_DENIED|\b7\b/);
    await at(gateway, "gateway", "faults", "--clear", ...place);
    assert.equal((await dial()).code, 0);
    await using client = new TeleQuickClient(
      env["TELEQUICK_ENDPOINT"]!,
      env["TELEQUICK_CREDENTIALS"]!,
      false,
      env["TELEQUICK_CERTIFICATE_HASH"]!,
    );
    await client.connect();
    const statuses = client.status();
    await at(gateway, "gateway", "faults", "--drop-sessions");
    for await (const { type } of statuses) if (type === "reconnecting") break;
    await at(gateway, "gateway", "faults", "--clear");
    await client.connect();
    await gateway.stop();
  });

  it("says in a sentence what does not go together, and exits with 2", async () => {
    const gateway = await startCliGateway();
    const cases: readonly [args: string, message: RegExp][] = [
      ["--loss-percent 5 --clear", /--clear does not go with faults/],
      ["--tenant acme", /Faults are missing, or --clear/],
      ["--loss-percent 101", /expected a number from 0 to 100/],
      ["--refuse-with 8", /expected a whole number from 1 to 7/],
      ["--loss-percent 5 --call-sid none", /Cannot set faults: no live call has this callSid/],
      ["--drop-sessions --trunk trunk-1", /dropSessions is for a tenant or the whole gateway/],
      ["--loss-percent 5 --call-sid a --trunk b", /has callSid and trunkId, expected one of them/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await at(gateway, "gateway", "faults", ...args.split(" "));
      assert.match(stderr, message);
      assert.deepEqual([code, stdout], [2, ""], args);
    }
    await gateway.stop();
    assert.equal((await at(gateway, "gateway", "faults")).code, 2);
  });
});

describe("telequick gateway hangup", () => {
  it("ends a call with a cause, without a session", async () => {
    const gateway = await startCliGateway();
    const { env } = gateway;
    await using client = new TeleQuickClient(
      env["TELEQUICK_ENDPOINT"]!,
      env["TELEQUICK_CREDENTIALS"]!,
      false,
      env["TELEQUICK_CERTIFICATE_HASH"]!,
    );
    const call = await client.dial({ to: "+15550100", trunkId: env["TELEQUICK_TRUNK"]! });
    const elsewhere = ["gateway", "hangup", call.callSid, "--tenant", "globex"];
    const missed = await at(gateway, ...elsewhere);
    assert.equal(missed.code, 2);
    assert.match(missed.stderr, /no live call has this callSid/);
    const ended = await at(gateway, "gateway", "hangup", call.callSid, "--cause", "21", "--json");
    assert.deepEqual(recordsOf(ended.stdout), [
      { type: "hangup", callSid: call.callSid, tenantId: "acme" },
    ]);
    assert.equal((await call.ended).q850Cause, 21);
    await gateway.stop();
  });
});

describe("telequick gateway revoke --tenant", () => {
  it("revokes a key of the tenant that is named", async () => {
    await using folder = await temporaryFolder();
    const directory = ["--directory", folder.at("gateway")];
    const before = await startCliGateway(["--tenant", "globex", ...directory]);
    const { keyId } = before.record;
    await before.stop();
    // The folder keeps the key; the gateway is another tenant's now.
    const gateway = await startCliGateway([...directory, "--credentials", folder.at("own.json")]);
    const own = await at(gateway, "gateway", "revoke", keyId!);
    assert.equal(own.code, 2);
    assert.match(own.stderr, /the tenant has no key with this private_key_id/);
    const revoked = await at(gateway, "gateway", "revoke", keyId!, "--tenant", "globex");
    assert.equal(revoked.stdout, `Revoked ${keyId} of tenant globex\n`);
    await gateway.stop();
  });
});

describe("telequick call-in --from-phone", () => {
  it("calls from the panel's phone, and says that it is off", async () => {
    const gateway = await startCliGateway();
    const { code, stderr } = await at(gateway, "call-in", "--from-phone", "--detach");
    assert.equal(code, 2);
    assert.match(stderr, /the phone rings nowhere .*turn the phone on/);
    await gateway.stop();
  });
});
