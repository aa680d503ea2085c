import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { access, readFile, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { TeleQuickClient } from "../../mod.ts";
import { limits } from "../../src/gateway/mod.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import { runCli } from "../support/fake_platform.ts";
import { temporaryFolder } from "../support/folder.ts";

function isThere(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}

describe("telequick gateway", () => {
  it("prints what a program needs, lets it in, and leaves nothing behind", async () => {
    const gateway = await startCliGateway();
    const { endpoint, certificateHash, credentials, tenantId, trunkId } = gateway.record;
    assert.match(endpoint!, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(tenantId, "acme");
    if (process.platform !== "win32") {
      assert.equal((await stat(credentials!)).mode & 0o777, 0o600);
      assert.equal((await stat(dirname(credentials!))).mode & 0o777, 0o700);
    }
    {
      await using client = new TeleQuickClient(endpoint!, credentials, false, certificateHash);
      const call = await client.dial({ to: "+15550101", trunkId: trunkId! });
      assert.equal((await call.ended).q850Cause, 17);
    }
    assert.equal(await gateway.stop(), 0);
    assert.deepEqual(gateway.records().at(-1), { type: "stopped", sessions: 1, calls: 1 });
    assert.equal(await isThere(dirname(credentials!)), false);
  });

  it("records calls into the folder that --recordings names", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startCliGateway(["--recordings", folder.at("calls")]);
    const { endpoint, certificateHash, credentials, trunkId } = gateway.record;
    {
      await using client = new TeleQuickClient(endpoint!, credentials, false, certificateHash);
      const call = await client.dial({ to: "+15550105", trunkId: trunkId! });
      const { recordingUrl } = await call.ended;
      assert.equal(recordingUrl, pathToFileURL(folder.at(`calls/acme,${call.sid}.wav`)).href);
      const wav = await readFile(new URL(recordingUrl));
      assert.equal(wav.toString("latin1", 0, 4), "RIFF");
      assert.equal(wav.readUInt32LE(4), wav.length - 8);
    }
    assert.equal(await gateway.stop(), 0);
  });

  it("prints a program of four lines that says how its call ended", async () => {
    const gateway = await startCliGateway();
    const lines = gateway.record["program"]!.split("\n");
    assert.equal(lines.length, 4);
    assert.match(lines[0]!, /^import \{ TeleQuickClient \} from "@telequick\/sdk";$/);
    await gateway.stop();
  });

  it("remembers its tenant in a folder: the same file signs in after a restart", async () => {
    await using folder = await temporaryFolder();
    const args = ["--directory", folder.at("gateway"), "--tenant", "globex", "--trunk", "t-1"];
    const first = await startCliGateway(args);
    const text = await readFile(first.record["credentials"]!, "utf8");
    assert.equal(await first.stop(), 0);
    const second = await startCliGateway(["--directory", folder.at("gateway")]);
    const { endpoint, credentials, certificateHash, tenantId, keyId } = second.record;
    assert.equal(credentials, first.record["credentials"]);
    assert.equal(await readFile(credentials!, "utf8"), text);
    assert.equal(tenantId, "globex");
    assert.equal(keyId, first.record["keyId"]);
    {
      await using client = new TeleQuickClient(endpoint!, credentials, false, certificateHash);
      const call = await client.dial({ to: "+15550101", trunkId: "t-1" });
      assert.equal((await call.ended).status, "BUSY");
    }
    await second.stop();
  });

  it("lets in a service account that was made before", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("account.json");
    await runCli(["keygen", "--tenant", "initech", "--out", path, "--public", folder.at("p.pem")]);
    for (const more of [[], ["--directory", folder.at("gateway")]]) {
      const gateway = await startCliGateway(["--credentials", path, ...more]);
      const { endpoint, credentials, certificateHash, tenantId, trunkId } = gateway.record;
      assert.equal(tenantId, "initech");
      assert.equal(credentials, path);
      {
        await using client = new TeleQuickClient(endpoint!, credentials, false, certificateHash);
        const call = await client.dial({ to: "+15550101", trunkId: trunkId! });
        assert.equal((await call.ended).status, "BUSY");
      }
      await gateway.stop();
    }
  });

  it("refuses production without --yes", async () => {
    const env = { NODE_ENV: "production" };
    const { code, stderr } = await runCli(["gateway"], { env });
    assert.equal(code, 2);
    assert.match(stderr, /NODE_ENV is production.*--yes/);
    const gateway = await startCliGateway(["--yes"], { env });
    assert.equal(await gateway.stop(), 0);
  });

  it("says in a sentence what is wrong with a port, a folder, a file or a name, and exits with 2", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("file"), "");
    await writeFile(folder.at("broken.json"), "{");
    const files = ["--out", folder.at("phone.json"), "--public", folder.at("phone.pem")];
    await runCli(["keygen", "--tenant", "phone", ...files]);
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    const { port } = socket.address();
    const wrong: readonly [args: string[], message: RegExp][] = [
      [["--port", `${port}`], /Cannot listen: 127\.0\.0\.1, UDP port \d+, cannot be bound/],
      [["--hostname", "999.1.1.1"], /"999\.1\.1\.1" is not a host name, expected/],
      [["--directory", folder.at("file/below")], /file\/below/],
      [
        ["--credentials", folder.at("missing/a.json")],
        /Cannot write .*: no such file or folder/,
      ],
      [["--credentials", folder.at("broken.json")], /Cannot parse service account/],
      [["--credentials", folder.path], /cannot be read|Cannot/],
      [["--tenant", "No Good"], /tenant is "No Good", expected 1 to 63 of a-z/],
      [["--credentials", folder.at("phone.json")], /the tenant is phone, on/],
      [["--tenant", "phone"], /the tenant is phone, on which the panel's phone rings/],
      [["--trunk", "no good"], /trunkId is malformed/],
      [
        ["--allow-fetch", "http://x/path"],
        /--allow-fetch is "http:\/\/x\/path", expected an origin/,
      ],
      [["--allow-fetch", "file://[broken"], /--allow-fetch is/],
      [["--limit", "sesions=1"], /--limit names "sesions"/],
      [["--limit", "sessions=none"], /--limit sessions is not a positive number/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await runCli(["gateway", ...args]);
      assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
      assert.equal(stdout, "");
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
    socket.close();
  });

  it("prints every limit with its reason, and starts nothing", async () => {
    const { code, records } = await runCli(["gateway", "--limits", "--json"]);
    assert.equal(code, 0);
    assert.deepEqual(records(), limits.map((limit) => ({ type: "limit", ...limit })));
  });

  it("holds to a limit that is set", async () => {
    const gateway = await startCliGateway(["--limit", "callsPerTenant=1"]);
    const env = gateway.env;
    const first = await runCli(["dial", "+15550100", "--detach"], { env });
    assert.equal(first.code, 0);
    const second = await runCli(["dial", "+15550100"], { env });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /ERR_RATE_LIMITED/);
    await gateway.stop();
  });

  it("prints its log where it is asked to, without a token", async () => {
    const gateway = await startCliGateway(["--verbose"]);
    await runCli(["dial", "+15550101"], { env: gateway.env });
    await gateway.stop();
    const events = gateway.records().filter(({ type }) => type === "log").map(({ event }) => event);
    for (const event of ["gateway.listening", "session.accepted", "call.dialled", "call.ended"]) {
      assert.ok(events.includes(event), event);
    }
    assert.doesNotMatch(JSON.stringify(gateway.records()), /eyJ|BEGIN/);
  });
});
