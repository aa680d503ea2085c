import assert from "node:assert/strict";
import { createServer, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { before, describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { run } from "../../src/cli/run.ts";
import { UsageError } from "../../src/cli/usage.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import {
  fakePlatform,
  type FakePlatformOptions,
  recordsOf,
  runCli,
} from "../support/fake_platform.ts";
import { needPanelSite } from "../support/panel_site.ts";

/** What `telequick gateway` prints on a terminal until it is ready, and after it was stopped. */
async function printed(
  args: readonly string[],
  options: Omit<FakePlatformOptions, "args"> = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const fake = fakePlatform({ isTerminal: true, ...options, args: ["gateway", ...args] });
  const isReady = new Promise<void>((resolve) =>
    fake.onOutput((text) => text.includes("Ctrl-C stops") && resolve())
  );
  const code = run(fake.platform);
  await Promise.race([isReady, code]);
  fake.send("SIGINT");
  assert.equal(await code, 0, fake.stderr());
  return { stdout: fake.stdout(), stderr: fake.stderr() };
}

const PANEL_URL = /http:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}/;

describe("the panel of telequick gateway", () => {
  before(needPanelSite);

  it("is one line more on a terminal, and shows the gateway's state to the one who has the key", async () => {
    const fake = fakePlatform({ isTerminal: true, args: ["gateway"], env: { NO_COLOR: "1" } });
    const ready = new Promise<void>((resolve) =>
      fake.onOutput((text) => PANEL_URL.test(text) && resolve())
    );
    const code = run(fake.platform);
    await ready;
    const line = fake.stdout().trimEnd().split("\n").at(-1)!;
    assert.match(line, new RegExp(`^panel ${PANEL_URL.source}$`));
    const { origin, hash } = new URL(line.slice("panel ".length));
    const page = await fetch(`${origin}/`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<tq-panel>/);
    const response = await fetch(`${origin}/api/state`, {
      headers: { authorization: `Bearer ${hash.slice(1)}` },
    });
    const text = await response.text();
    assert.deepEqual(JSON.parse(text).tenants[0].tenantId, "acme");
    assert.equal(JSON.parse(text).phone.number, "+15550120");
    assert.doesNotMatch(text, /eyJ|BEGIN|PRIVATE/);
    assert.equal(text.includes(hash.slice(1)), false);
    fake.send("SIGINT");
    assert.equal(await code, 0);
    await assert.rejects(fetch(`${origin}/`));
  });

  it("is off in a pipe, in CI, with --no-ui and under exec", async () => {
    const piped = await startCliGateway();
    assert.equal(piped.panel, "");
    await piped.stop();
    for (
      const [args, options] of [
        [[], { env: { CI: "true" } }],
        [["--no-ui"], {}],
      ] as const
    ) {
      const { stdout, stderr } = await printed(args, options);
      assert.doesNotMatch(stdout + stderr, /panel http/);
    }
    const exec = await runCli(["gateway", "exec", "--", "true"], { isTerminal: true });
    assert.equal(exec.code, 0);
    assert.doesNotMatch(exec.stdout + exec.stderr, PANEL_URL);
    assert.equal((await runCli(["gateway", "exec", "--ui", "--", "true"])).code, 2);
  });

  it("follows when the gateway is ready, but comes first where a port or a browser is asked for", async () => {
    const linesOf = async (args: readonly string[]) => {
      const opened: string[] = [];
      const fake = fakePlatform({
        args: ["gateway", "--json", ...args],
        parts: { openUrl: () => Promise.resolve(void opened.push(fake.stdout())) },
      });
      const isOpen = new Promise<void>((resolve) =>
        fake.onOutput((text) => text.includes('"panel"') && resolve())
      );
      const code = run(fake.platform);
      await isOpen;
      fake.send("SIGINT");
      assert.equal(await code, 0);
      return { opened, types: recordsOf(fake.stdout()).map(({ type }) => type) };
    };
    const types = ["gateway", "panel", "stopped"];
    assert.deepEqual(await linesOf(["--ui"]), { opened: [], types });
    assert.deepEqual(await linesOf(["--open"]), { opened: [""], types });
  });

  it("stays off with a warning where it cannot be opened once the gateway is ready", async () => {
    const { listen } = Server.prototype;
    Server.prototype.listen = function (this: Server) {
      queueMicrotask(() => this.emit("error", Object.assign(new Error(), { code: "EACCES" })));
      return this;
    };
    try {
      const fake = fakePlatform({ args: ["gateway", "--json", "--ui"] });
      // It is stopped while the panel is being opened.
      fake.onOutput((text) => text.includes('"stopped"') || fake.send("SIGINT"));
      assert.equal(await run(fake.platform), 0);
      assert.deepEqual(recordsOf(fake.stdout()).map(({ type }) => type), ["gateway", "stopped"]);
      assert.match(fake.stderr(), /The panel is off: .*cannot be bound \(EACCES\)/);
    } finally {
      Server.prototype.listen = listen;
    }
  });

  it("is there in a pipe and in CI where --ui asks for it", async () => {
    const gateway = await startCliGateway(["--ui"], { env: { CI: "true" } });
    assert.match(gateway.panel, PANEL_URL);
    await gateway.stop();
  });

  it("is off with a warning in production, where other machines reach the gateway, and on IPv6", async () => {
    const production = await printed(["--yes"], { env: { NODE_ENV: "production" } });
    assert.match(production.stderr, /The panel is off: NODE_ENV is production/);
    const open = await printed(["--hostname", "0.0.0.0"]);
    assert.match(open.stderr, /The panel is off: other machines reach 0\.0\.0\.0/);
    const ipv6 = await printed(["--hostname", "::1"]);
    assert.match(ipv6.stderr, /The panel is off: its page cannot connect to ::1, use --hostname/);
    for (const { stdout } of [production, open, ipv6]) assert.doesNotMatch(stdout, PANEL_URL);
  });

  it("keeps its key out of the gateway's log", async () => {
    const gateway = await startCliGateway(["--ui", "--verbose"]);
    const { hash } = new URL(gateway.panel);
    await gateway.stop();
    const logged = gateway.records().filter(({ type }) => type === "log");
    assert.equal(JSON.stringify(logged).includes(hash.slice(1)), false);
  });

  it("says in a sentence that its port is taken, or that options contradict each other, and exits with 2", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const taken = await runCli(["gateway", "--ui-port", String(port)]);
    assert.equal(taken.code, 2);
    assert.match(
      taken.stderr,
      /Cannot open the panel: 127\.0\.0\.1, TCP port \d+, cannot be bound \(EADDRINUSE\)/,
    );
    assert.equal(taken.stdout, "");
    server.close();
    const both = await runCli(["gateway", "--no-ui", "--open"]);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--no-ui and --open contradict each other/);
  });

  it("is opened in the browser with --open; without a browser that is a sentence and exit code 2", async () => {
    const opened: string[] = [];
    const { stdout } = await printed(["--open"], {
      parts: { openUrl: (url) => Promise.resolve(void opened.push(url)) },
    });
    assert.equal(opened.length, 1);
    assert.ok(stdout.includes(opened[0]!));
    const missing = await runCli(["gateway", "--open"], {
      parts: { openUrl: () => Promise.reject(new UsageError("Cannot open a browser: none")) },
    });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /Cannot open a browser: none/);
  });

  it("says where the phone is turned on when a call to it failed", async () => {
    const { promise: isNoted, resolve } = Promise.withResolvers<string>();
    const noted = (text: string): void => {
      if (text.includes("The phone is off")) resolve(text);
    };
    const fake = fakePlatform({ args: ["gateway", "--ui"] });
    const { stderr } = fake.platform;
    const platform = {
      ...fake.platform,
      stderr: { ...stderr, write: (text: string) => Promise.resolve(noted(text)) },
    };
    const isReady = new Promise<void>((resolve) =>
      fake.onOutput((text) => PANEL_URL.test(text) && resolve())
    );
    const code = run(platform);
    await isReady;
    const value = (name: string) => new RegExp(`export ${name}=(\\S+)`).exec(fake.stdout())![1]!;
    {
      const [endpoint, credentials, hash] = ["ENDPOINT", "CREDENTIALS", "CERTIFICATE_HASH"]
        .map((name) => value(`TELEQUICK_${name}`));
      await using client = new TeleQuickClient(endpoint!, credentials, false, hash);
      const call = await client.dial({ to: "+15550120", trunkId: value("TELEQUICK_TRUNK") });
      assert.equal((await call.ended).q850Cause, 20);
      assert.match(await isNoted, /turn it on at http:\/\/127\.0\.0\.1:\d+\/#/);
    }
    fake.send("SIGINT");
    assert.equal(await code, 0);
  });

  it("rings for the numbers of --phone", async () => {
    const gateway = await startCliGateway(["--ui", "--phone", "+15550777"]);
    const { origin, hash } = new URL(gateway.panel);
    const response = await fetch(`${origin}/api/state`, {
      headers: { authorization: `Bearer ${hash.slice(1)}` },
    });
    const { phone, program } = await response.json();
    assert.equal(phone.number, "+15550777");
    assert.match(program, /dial\(\{ to: "\+15550777"/);
    await gateway.stop();
    assert.equal((await runCli(["gateway", "--phone", "12"])).code, 2);
  });
});
