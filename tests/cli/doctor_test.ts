import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { chmod, copyFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { type CliGateway, startCliGateway } from "../support/cli_gateway.ts";
import { runCli, steadyClock } from "../support/fake_platform.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";

let gateway: CliGateway;
let folder: TemporaryFolder;

/** What a doctor found: level and words by what was looked at, the worst where there are several. */
async function doctor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const outcome = await runCli(["doctor", "--json", ...args], {
    env: { ...gateway.env, ...env },
    clock: steadyClock,
  });
  const findings = outcome.records().filter(({ type }) => type === "finding");
  const { verdict } = outcome.records().at(-1)!;
  const bad = findings.filter(({ level }) => level === "error" || level === "warning");
  return { ...outcome, findings, verdict, bad };
}

describe("telequick doctor", () => {
  before(async () => {
    gateway = await startCliGateway();
    folder = await temporaryFolder();
  });

  after(async () => {
    await gateway.stop();
    await folder[Symbol.asyncDispose]();
  });

  it("is ready where everything is as it should be, and has looked at everything", async () => {
    const { code, verdict, findings, bad } = await doctor([]);
    assert.deepEqual(bad, []);
    assert.equal(code, 0);
    assert.equal(verdict, "ready");
    assert.deepEqual(findings.map(({ check }) => check), [
      ...[
        "runtime",
        "credentials",
        "endpoint",
        "network",
        "certificate",
        "token",
        "clock",
        "gateway",
      ],
    ]);
  });

  it("1: a file that is not there", async () => {
    const { code, bad } = await doctor(["--credentials", folder.at("none.json")]);
    assert.equal(code, 1);
    assert.equal(bad.length, 1);
    assert.match(String(bad[0]!["found"]), /there is no file at .*none\.json/);
    assert.match(String(bad[0]!["fix"]), /telequick keygen/);
  });

  it("2: a key of another kind", async () => {
    const pem = execFileSync("openssl", [
      ...["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const path = folder.at("ec.json");
    const account = { tenant_id: "acme", private_key_id: "k", private_key: pem };
    await writeFile(path, JSON.stringify(account), { mode: 0o600 });
    const { code, bad, stdout, stderr } = await doctor(["--credentials", path]);
    assert.equal(code, 1);
    assert.equal(bad[0]!["check"], "credentials");
    assert.match(String(bad[0]!["found"]), /EC|RSA/);
    assert.doesNotMatch(stdout + stderr, /BEGIN PRIVATE KEY-----\\?n?M/);
  });

  it("3: a port at which nothing answers, and one at which something else does", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    const { port } = socket.address();
    const endpoint = `https://127.0.0.1:${port}`;
    // A copy that no gateway made: the advice is about the port alone.
    const copy = folder.at("copy.json");
    await copyFile(gateway.env["TELEQUICK_CREDENTIALS"]!, copy);
    await chmod(copy, 0o600);
    const silent = await doctor(["--credentials", copy], { TELEQUICK_ENDPOINT: endpoint });
    assert.equal(silent.code, 1);
    assert.equal(silent.bad[0]!["check"], "network");
    assert.match(String(silent.bad[0]!["found"]), /No answer from this UDP port/);
    assert.match(String(silent.bad[0]!["fix"]), /firewall/);
    assert.equal(silent.findings.at(-1)!["level"], "unknown", "what comes after is not guessed");
    socket.on("message", (bytes, { port, address }) => socket.send(bytes, port, address));
    const other = await doctor(["--credentials", copy], { TELEQUICK_ENDPOINT: endpoint });
    assert.match(String(other.bad[0]!["found"]), /does not use QUIC/);
    const moved = await doctor([], { TELEQUICK_ENDPOINT: endpoint });
    assert.equal(
      moved.bad[0]!["fix"],
      `The gateway that made this file is at ${
        gateway.env["TELEQUICK_ENDPOINT"]
      } now: take its exports again`,
    );
    socket.close();
  });

  it("4: a certificate with another hash, an invalid hash, and no hash", async () => {
    const hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const expected: readonly [hash: string, found: RegExp, fix: RegExp][] = [
      [
        hash,
        /differs from the pinned hash/,
        /^The gateway has another certificate now: export TELEQUICK_CERTIFICATE_HASH=\S{43}=$/,
      ],
      ["nonsense", /Cannot read certificate hash/, /./],
      ["", /not signed by a CA/, /TELEQUICK_CERTIFICATE_HASH/],
    ];
    for (const [given, found, fix] of expected) {
      const { code, bad } = await doctor([], { TELEQUICK_CERTIFICATE_HASH: given });
      assert.equal(code, 1);
      assert.equal(bad[0]!["check"], "certificate", given);
      assert.match(String(bad[0]!["found"]), found);
      assert.match(String(bad[0]!["fix"]), fix);
    }
  });

  it("5: a key that the gateway does not know", async () => {
    const path = folder.at("other.json");
    await runCli([
      "keygen",
      "--tenant",
      "acme",
      "--out",
      path,
      "--public",
      folder.at("other.pem"),
    ]);
    const { code, bad } = await doctor(["--credentials", path]);
    assert.equal(code, 1);
    assert.deepEqual(bad.map(({ check }) => check), ["token"]);
    assert.match(String(bad[0]!["found"]), /^Refused \(rejected\)/);
    assert.match(String(bad[0]!["fix"]), /Register the public key/);
  });

  it("6: no endpoint, and an invalid one", async () => {
    for (const endpoint of ["", "http://127.0.0.1:9090"]) {
      const { code, bad } = await doctor([], { TELEQUICK_ENDPOINT: endpoint });
      assert.equal(code, 1);
      assert.deepEqual(bad.map(({ check }) => check), ["endpoint"]);
    }
  });

  it("7: a file that others can read is a warning: everything works, exit code 3", async () => {
    if (process.platform === "win32") return;
    await chmod(gateway.env["TELEQUICK_CREDENTIALS"]!, 0o644);
    const { code, verdict, bad } = await doctor([]);
    await chmod(gateway.env["TELEQUICK_CREDENTIALS"]!, 0o600);
    assert.equal(code, 3);
    assert.equal(verdict, "degraded");
    assert.deepEqual(bad.map(({ check, level }) => `${check} ${level}`), ["credentials warning"]);
    assert.match(String(bad[0]!["found"]), /chmod 600/);
  });

  it("looks at a certificate's kind, age and hash", async () => {
    const make = (name: string, ...args: string[]) => {
      const key = folder.at(`${name}.key`);
      const pem = folder.at(`${name}.pem`);
      execFileSync("openssl", [
        ...["req", "-x509", "-nodes", "-keyout", key, "-out", pem, "-subj", "/CN=x", ...args],
      ], { stdio: "ignore" });
      return pem;
    };
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    const cases: readonly [pem: string, level: string, found: RegExp][] = [
      [make("good", ...curve, "-days", "13"), "ok", /^ec prime256v1, expires in 1[23] d/],
      [make("long", ...curve, "-days", "90"), "warning", /^ec prime256v1, expires in (89|90) d/],
      [make("rsa", "-newkey", "rsa:2048", "-days", "10"), "warning", /^rsa 2048/],
    ];
    for (const [pem, level, found] of cases) {
      const { findings } = await doctor(["--certificate", pem], { TELEQUICK_CERTIFICATE_HASH: "" });
      const [own] = findings.filter(({ check }) => check === "certificate");
      assert.equal(own!["level"], level, pem);
      assert.match(String(own!["found"]), found);
    }
    const [good] = cases[0]!;
    const wrong = await doctor(["--certificate", good]);
    assert.match(String(wrong.bad[0]!["found"]), /The hash does not match the certificate/);
    const none = await doctor(["--certificate", folder.at("none.pem")]);
    assert.match(String(none.bad[0]!["found"]), /Cannot read/);
  });

  it("prints the findings for people, with a fix under what is wrong", async () => {
    const { code, stdout } = await runCli(["doctor"], {
      env: { ...gateway.env, TELEQUICK_CERTIFICATE_HASH: "" },
    });
    assert.equal(code, 1);
    assert.match(stdout, /^ok {7}runtime {6}\S/m);
    assert.match(stdout, /^error {4}certificate {2}\S.*\n {22}fix: \S/m);
    assert.match(stdout, /^blocked: 1 error, 0 warnings$/m);
  });
});
