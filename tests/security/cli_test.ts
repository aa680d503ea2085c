import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { loadServiceAccount } from "../../mod.ts";
import { createCertificate } from "../../src/transport/mod.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import { fakePlatform, type Outcome, runCli } from "../support/fake_platform.ts";
import { temporaryFolder } from "../support/folder.ts";
import { run } from "../../src/cli/run.ts";
import { claims, forge, header } from "../support/tokens.ts";

describe("the command line", () => {
  it("C-01 prints no key and no token, in text, JSON and verbose form, whether it works or fails", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("account.json");
    const made = await runCli([
      "keygen",
      "--tenant",
      "acme",
      "--out",
      path,
      "--public",
      folder.at("p.pem"),
    ]);
    const { privateKey } = await loadServiceAccount(path);
    const secrets = privateKey.split("\n").filter((line) => /^[\w+/=]{16,}$/.test(line));
    assert.ok(secrets.length > 20, "the canary is the key's every line");
    const gateway = await startCliGateway(["--verbose", "--credentials", path]);
    const env = gateway.env;
    const token = (await runCli(["token", "mint", "--show"], { env })).stdout.trim();
    secrets.push(token.split(".")[2]!);
    await writeFile(folder.at("cut.json"), (await readFile(path, "utf8")).slice(0, -200), {
      mode: 0o600,
    });

    const lines: readonly (readonly string[])[] = [
      ...[["token", "mint"], ["token", "browser"], [
        "token",
        "verify",
        "--public-key",
        folder.at("p.pem"),
        token,
      ]],
      ...[["token", "inspect", token], ["token", "inspect", `${token}x`], [
        "token",
        "inspect",
        token.slice(9),
      ]],
      ...[["dial", "+15550101", "--verbose"], ["dial", token], [
        "dial",
        "+15550101",
        "--trunk",
        token,
      ]],
      ...[["hangup", token], ["explain", token], ["tail", token], [token], [
        "doctor",
        "--certificate",
        path,
      ]],
      ...[["doctor"], ["doctor", "--credentials", folder.at("cut.json")], [
        "doctor",
        "--certificate-hash",
        token,
      ]],
      ...[["token", "mint", "--credentials", token], [
        "token",
        "mint",
        "--credentials",
        privateKey,
      ]],
      ...[["token", "mint", "--lifetime", token], ["token", "verify", "--public-key", path, token]],
      ...[["gateway", "--credentials", privateKey], ["gateway", "--tenant", token], [
        "keygen",
        "--tenant",
        token,
      ]],
      ...[["rotate", "start"], ["rotate", "swap"], ["load", "--endpoint", `https://${token}`]],
    ];
    const outcomes: Outcome[] = [made];
    for (const line of lines) {
      outcomes.push(await runCli(line, { env }), await runCli([...line, "--json"], { env }));
    }
    await gateway.stop();
    const printed = [
      ...outcomes.map(({ transcript }) => transcript),
      JSON.stringify(gateway.records()),
    ];
    for (const [i, text] of printed.entries()) {
      for (const secret of secrets) {
        assert.ok(!text.includes(secret), `${lines[(i - 1) >> 1]?.slice(0, 2).join(" ")}: ${text}`);
      }
      assert.doesNotMatch(text, /^\s+at /m);
    }
  });

  it("C-03 warns once of a file that others can read, with what to do about it", async () => {
    if (process.platform === "win32") return;
    await using folder = await temporaryFolder();
    const path = folder.at("account.json");
    await runCli(["keygen", "--tenant", "acme", "--out", path, "--public", folder.at("p.pem")]);
    const gateway = await startCliGateway(["--credentials", path]);
    await chmod(path, 0o644);
    for (const line of [["token", "mint"], ["dial", "+15550101"], ["rotate", "start"]]) {
      const { stderr } = await runCli(line, { env: gateway.env });
      assert.equal(stderr.match(/^warning: /gm)?.length, 1, stderr);
      assert.match(stderr, /mode is 644, expected 600 \(chmod 600 ".*account\.json"\)/);
    }
    await gateway.stop();
  });

  it("C-07 reports a wrong certificate hash within the time that it was given, and of an old certificate that it is over", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startCliGateway();
    const env = { ...gateway.env, TELEQUICK_CERTIFICATE_HASH: `${"A".repeat(43)}=` };
    const { code, stderr } = await runCli(["dial", "+15550101", "--timeout", "5"], { env });
    assert.equal(code, 1);
    assert.match(stderr, /another SHA-256 than serverCertificateHash/);
    await gateway.stop();
    const { certificatePem } = await createCertificate({ now: Date.now() - 20 * 86_400_000 });
    await writeFile(folder.at("old.pem"), certificatePem);
    const { stdout } = await runCli(["doctor", "--certificate", folder.at("old.pem")], {
      env: { TELEQUICK_ENDPOINT: "https://127.0.0.1:9" },
    });
    assert.match(
      stdout,
      /^error {4}certificate {2}It expired 7 d ago\n +fix: Create a new certificate/m,
    );
  });

  it("has no way to switch the verification of certificates off", async () => {
    for (const name of ["insecure", "no-verify", "skip-verify"]) {
      const { code } = await runCli(["dial", "+15550100", `--${name}`]);
      assert.equal(code, 2);
    }
  });

  it("writes no more than it says when a signal comes at once", async () => {
    await using folder = await temporaryFolder();
    const fake = fakePlatform({
      args: ["gateway", "--directory", folder.at("g"), "--json"],
    });
    const code = run(fake.platform);
    let isSent = false;
    fake.onOutput((text) => {
      if (isSent || !text.includes('"program"')) return;
      isSent = true;
      fake.send("SIGTERM");
    });
    assert.equal(await code, 0);
    assert.doesNotMatch(fake.transcript(), /BEGIN|MII|eyJ/);
  });

  it("C-19 escapes control characters of another party's token in JSON, and the JSON says the same", async () => {
    const endUser = "a\u009b31mred\u202egnp.exe\u2066\u0085\u007f\u2028b";
    const token = forge(header, { ...claims, end_user: endUser });
    const { stdout, stderr, records } = await runCli(["token", "inspect", token, "--json"]);
    assert.equal(stderr, "");
    assert.ok(stdout.includes("\\u202e"), stdout);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
    assert.ok(JSON.stringify(records()).includes(JSON.stringify(endUser).slice(1, -1)));
  });
});
