import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { access, stat } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { openKeptAddress } from "../../src/cli/local_gateway/kept_address.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import { fakePlatform, runCli } from "../support/fake_platform.ts";
import { temporaryFolder } from "../support/folder.ts";
import { inPipe, startGatewayProcess, telequick } from "../support/terminal.ts";

const STOPPED = /the gateway that made this file has stopped: take its exports again/;

describe("telequick gateway --directory, restarted", () => {
  it("has the same endpoint, hashes and credentials, after Ctrl-C and after a kill", async () => {
    await using folder = await temporaryFolder();
    const args = ["--directory", folder.at("gateway")];
    const first = await startGatewayProcess(...args);
    assert.match(first.env["TELEQUICK_CERTIFICATE_HASH"]!, /^\S{43}=,\S{43}=$/);
    if (process.platform !== "win32") {
      assert.equal((await stat(folder.at("gateway/listener.json"))).mode & 0o777, 0o600);
    }
    assert.equal(await first.stop(), 0);

    const second = await startGatewayProcess(...args);
    assert.deepEqual(second.env, first.env);
    second.driven.kill("SIGKILL");
    await second.driven.code;

    const third = await startGatewayProcess(...args);
    assert.deepEqual(third.env, first.env);
    const dial = await runCli(["dial", "+15550101"], { env: first.env });
    assert.match(dial.stdout, /BUSY/);
    await third.stop();
  });

  it("is found again by a command that runs: it says that the connection is lost, each attempt, and that it is back", async () => {
    await using folder = await temporaryFolder();
    const args = ["--directory", folder.at("gateway")];
    const first = await startGatewayProcess(...args);
    const tail = inPipe([...telequick, "tail"], { env: first.env });
    await tail.until("Listening");
    await first.stop();
    await tail.until("connection lost, reconnecting (1)");
    await tail.until("connection lost, reconnecting (2)");
    const second = await startGatewayProcess(...args);
    await tail.until("connected again");
    const heard = tail.until("CHANNEL_HANGUP_COMPLETE  BUSY");
    await runCli(["dial", "+15550101"], { env: first.env });
    await heard;
    // The id is printed whole once, then short.
    const [, id] = /([0-9a-f-]{36}) {2}CHANNEL_CREATE/.exec(tail.output())!;
    assert.match(tail.output(), new RegExp(`Z {2}${id!.slice(0, 8)} {2}CHANNEL_HANGUP_COMPLETE`));
    tail.kill("SIGINT");
    assert.equal(await tail.code, 0);
    await second.stop();
  });

  it("warns when another program has taken its port, and remembers the one that it takes instead", async () => {
    await using folder = await temporaryFolder();
    const args = ["--directory", folder.at("gateway")];
    const first = await startGatewayProcess(...args);
    await first.stop();
    const socket = createSocket("udp4");
    const port = Number(new URL(first.env["TELEQUICK_ENDPOINT"]!).port);
    await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
    const second = await startGatewayProcess(...args);
    assert.match(
      second.driven.output(),
      new RegExp(`"message":"UDP port ${port}, which this gateway had before, is taken: it is at `),
    );
    await second.stop();
    socket.close();
    const third = await startGatewayProcess(...args);
    assert.deepEqual(third.env, second.env);
    assert.equal(third.env["TELEQUICK_CERTIFICATE_HASH"], first.env["TELEQUICK_CERTIFICATE_HASH"]);
    await third.stop();
  });

  it("changes to the next certificate on day 10: a client that pins both is let in before and after, and new exports are printed", async () => {
    await using folder = await temporaryFolder();
    const now = Date.now();
    // The first start was ten days ago; QUIC itself looks at the machine's clock, on which both certificates are valid now.
    await openKeptAddress({
      folder: folder.path,
      hostname: "127.0.0.1",
      platform: fakePlatform().platform,
      clock: new FakeClock(now - 10 * 86_400_000),
    });
    const clock = new FakeClock(now - 3_500_000);
    const gateway = await startCliGateway(["--directory", folder.path], { clock });
    const { endpoint, credentials, certificateHash, trunkId } = gateway.record;
    const connect = async (pinned: string): Promise<void> => {
      const options = { serverCertificateHash: pinned, clock };
      await using client = new TeleQuickClient(endpoint!, credentials, false, options);
      await client.connect();
      assert.equal((await client.getIncomingCalls(trunkId!)).length, 0);
    };
    const [first, second] = certificateHash!.split(",");
    await connect(certificateHash!);
    await connect(first!);
    await clock.advance(3_600_000);
    const printed = gateway.records().find(({ type }) => type === "certificate");
    const [shown, next] = String(printed!["certificateHash"]).split(",");
    assert.equal(shown, second);
    assert.notEqual(next, first);
    await connect(certificateHash!);
    await connect(second!);
    await assert.rejects(connect(first!), /another SHA-256/);
    assert.equal(await gateway.stop(), 0);
  });
});

describe("commands whose gateway has stopped", () => {
  it("say so where its temporary folder is gone, and name no key", async () => {
    const gateway = await startGatewayProcess();
    const { env } = gateway;
    await gateway.stop();
    await assert.rejects(access(env["TELEQUICK_CREDENTIALS"]!));
    for (const line of [["dial", "+15550100"], ["tail"], ["hangup", "x"]]) {
      const { code, stderr } = await runCli(line, { env });
      assert.equal(code, 2);
      assert.match(stderr, STOPPED);
    }
    const { stdout } = await runCli(["doctor"], { env });
    assert.match(stdout, STOPPED);
  });

  it("say so where its credentials file is still there, after a kill", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startGatewayProcess("--credentials", folder.at("account.json"));
    gateway.driven.kill("SIGKILL");
    await gateway.driven.code;
    const { code, stderr } = await runCli(["dial", "+15550100", "--timeout", "1"], {
      env: gateway.env,
    });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: Cannot connect to https:\/\/127\.0\.0\.1:\d+: [^\n]*\(the gateway that made this file has stopped: take its exports again\)\n/,
    );
    const { stdout } = await runCli(["doctor"], { env: gateway.env });
    assert.match(
      stdout,
      /fix: The gateway that made this file has stopped: take its exports again/,
    );
  });

  it("say what to export where it runs again, with another certificate or at another port", async () => {
    await using folder = await temporaryFolder();
    const args = ["--credentials", folder.at("account.json")];
    const first = await startGatewayProcess(...args);
    await first.stop();
    const port = new URL(first.env["TELEQUICK_ENDPOINT"]!).port;
    const second = await startGatewayProcess(...args, "--port", port);
    const changed = await runCli(["dial", "+15550100"], { env: first.env });
    assert.equal(changed.code, 1);
    const hash = second.env["TELEQUICK_CERTIFICATE_HASH"]!;
    assert.ok(
      changed.stderr.includes(
        `(the gateway has another certificate now: export TELEQUICK_CERTIFICATE_HASH=${hash})`,
      ),
      changed.stderr,
    );
    const elsewhere = { ...second.env, TELEQUICK_ENDPOINT: "https://127.0.0.1:9" };
    const moved = await runCli(["dial", "+15550100", "--timeout", "1"], { env: elsewhere });
    assert.match(
      moved.stderr,
      /\(the gateway that made this file is at https:\/\/127\.0\.0\.1:\d+ now: take its exports again\)/,
    );
    await second.stop();
    await assert.rejects(access(folder.at("account.json.control")), "it leaves nothing behind");
  });
});
