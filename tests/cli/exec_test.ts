import assert from "node:assert/strict";
import { access, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { inPipe, inTerminal, startGatewayProcess, telequick } from "../support/terminal.ts";

const exec = [...telequick, "gateway", "exec"];
const front = new URL("../../mod.ts", import.meta.url).href;

/** A user's project: a folder in which the package's name leads to the package. */
async function project(program: string): Promise<{ folder: TemporaryFolder; run: string[] }> {
  const folder = await temporaryFolder();
  await writeFile(
    folder.at("imports.json"),
    JSON.stringify({ imports: { "@telequick/sdk": front } }),
  );
  await writeFile(folder.at("program.ts"), program);
  const run = [
    ...[process.execPath, "run", "-A", "--quiet", "--no-config", "--unstable-net"],
    ...[`--import-map=${folder.at("imports.json")}`, folder.at("program.ts")],
  ];
  return { folder, run };
}

describe("telequick gateway exec", () => {
  it("runs a program of four lines, which finds the gateway in its environment", async () => {
    const { folder, run } = await project(`
import { TeleQuickClient } from "@telequick/sdk";
await using client = new TeleQuickClient(Deno.env.get("TELEQUICK_ENDPOINT")!, undefined, false, Deno.env.get("TELEQUICK_CERTIFICATE_HASH")!);
const call = await client.dial({ to: "+15550105", trunkId: Deno.env.get("TELEQUICK_TRUNK")! });
console.log((await call.ended).cause);
`);
    await using _ = folder;
    const { code, output } = inPipe([...exec, "--", ...run]);
    assert.equal(await code, 0, output());
    assert.equal(output(), "normal call clearing\n");
  });

  it("returns the command's own exit code, and what a shell has for one that could not be started", async () => {
    const cases: readonly [command: string[], code: number, output: RegExp][] = [
      [["true"], 0, /^$/],
      [["sh", "-c", "exit 7"], 7, /^$/],
      [["sh", "-c", "kill -TERM $$"], 143, /^$/],
      [
        ["no-such-command"],
        127,
        /^error: Cannot start "no-such-command": no such file or folder\n$/,
      ],
      [["/etc/passwd"], 126, /^error: Cannot start "\/etc\/passwd": no permission\n$/],
    ];
    for (const [command, expected, said] of cases) {
      const { code, output } = inPipe([...exec, "--", ...command]);
      assert.equal(await code, expected, command.join(" "));
      assert.match(output(), said);
    }
  });

  it("takes options of its own before --, and passes everything after it on unchanged", async () => {
    const { code, output } = inPipe([
      ...[...exec, "--trunk", "main", "--", "sh", "-c", 'echo "$TELEQUICK_TRUNK" "$@"', "sh"],
      ...["--json", "--help", "a b"],
    ]);
    assert.equal(await code, 0);
    assert.equal(output(), "main --json --help a b\n");
  });

  it("gives the command private credentials and removes them afterwards", async () => {
    const { code, output } = inPipe([
      ...[...exec, "--", "sh", "-c"],
      'stat -c %a "$TELEQUICK_CREDENTIALS" "$(dirname "$TELEQUICK_CREDENTIALS")"; echo "$TELEQUICK_CREDENTIALS"',
    ]);
    assert.equal(await code, 0);
    const [file, folder, path] = output().split("\n");
    assert.deepEqual([file, folder], ["600", "700"]);
    await assert.rejects(access(dirname(path!)));
  });

  it("lets Ctrl-C end the command, and ends with it", async () => {
    const driven = inTerminal([
      ...[
        ...exec,
        "--",
        "sh",
        "-c",
        'trap "exit 42" INT; echo ready; while :; do sleep 0.05; done',
      ],
    ]);
    await driven.until("ready");
    driven.type("\x03");
    assert.equal(await driven.code, 42);
  });

  it("hands SIGTERM on to the command, and waits for it", async () => {
    const driven = inPipe([
      ...[
        ...exec,
        "--",
        "sh",
        "-c",
        'trap "echo bye; exit 43" TERM; echo ready; while :; do sleep 0.05; done',
      ],
    ]);
    await driven.until("ready");
    driven.kill("SIGTERM");
    assert.equal(await driven.code, 43);
    assert.match(driven.output(), /bye\n$/);
  });
});

describe("the program that telequick gateway prints", () => {
  it("works when it is pasted", async () => {
    const gateway = await startGatewayProcess();
    const { folder, run } = await project(gateway.record["program"]!);
    await using _ = folder;
    const { code, output } = inPipe(run);
    assert.equal(await code, 0, output());
    assert.equal(output(), "normal call clearing\n");
    await gateway.stop();
  });
});

describe("telequick without permissions", () => {
  it("says in a sentence what it may not do, and exits with 2", async () => {
    await using folder = await temporaryFolder();
    // By another name: Deno adds -A to the command line of a child that it recognises as itself.
    const deno = folder.at("deno");
    await symlink(process.execPath, deno);
    const rest = telequick.slice(3);
    const cases: readonly [flags: string[], args: string[]][] = [
      [["--allow-env", "--allow-sys"], ["keygen", "--tenant", "acme"]],
      [["--allow-env", "--allow-sys", "--allow-read"], [
        "keygen",
        "--tenant",
        "acme",
        "--out",
        `/tmp/${crypto.randomUUID()}`,
      ]],
      [["--allow-env", "--allow-sys"], ["token", "mint", "--credentials", "/x.json"]],
      [["--allow-env", "--allow-sys", "--allow-read", "--allow-write"], ["gateway"]],
      [[], ["gateway", "exec", "--", "true"]],
    ];
    for (const [flags, args] of cases) {
      // Through env(1): Deno gives a child of its own that has no flags every permission.
      const { code, output } = inPipe([
        "env",
        deno!,
        "run",
        ...flags,
        "--no-prompt",
        ...rest,
        ...args,
      ]);
      assert.equal(await code, 2, `${args.join(" ")}: ${output()}`);
      assert.match(output(), /^error: .*\n/);
      assert.match(output(), /not allowed|deno with -A|--allow/);
      assert.doesNotMatch(output(), /^\s+at /m);
    }
  });
});
