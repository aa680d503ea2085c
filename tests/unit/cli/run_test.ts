import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import type { OptionSpecs } from "../../../src/cli/terminal/args.ts";
import { commands } from "../../../src/cli/commands.ts";
import { COMMON_OPTIONS } from "../../../src/cli/help.ts";
import { VERSION } from "../../../src/base/version.ts";
import { runCli } from "../../support/fake_platform.ts";

const STACK = /^\s+at |\.ts:\d+/m;

describe("run()", () => {
  it("shows what there is without a command, on the standard error, and exits with 2", async () => {
    const { code, stdout, stderr } = await runCli([]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^telequick: calls over WebTransport/);
  });

  it("shows the help on the standard output when it is asked for", async () => {
    for (const args of [["--help"], ["-h"], ["token", "--help"], ["rotate", "-h"]]) {
      const { code, stdout, stderr } = await runCli(args);
      assert.equal(code, 0);
      assert.equal(stderr, "");
      assert.match(stdout, /Usage: telequick/);
    }
  });

  it("lists the commands of a group that is named alone, and exits with 2", async () => {
    const { code, stderr } = await runCli(["token"]);
    assert.equal(code, 2);
    for (const name of ["mint", "browser", "inspect", "verify"]) {
      assert.match(stderr, new RegExp(`^  token ${name} `, "m"));
    }
  });

  it("prints the version of the package, which is that of deno.json", async () => {
    const manifest = JSON.parse(
      await readFile(new URL("../../../deno.json", import.meta.url), "utf8"),
    );
    assert.equal(VERSION, manifest.version);
    assert.equal((await runCli(["--version"])).stdout, `telequick ${VERSION}\n`);
    assert.deepEqual((await runCli(["--version", "--json"])).records(), [
      { type: "version", version: VERSION },
    ]);
  });

  it("takes help and version as words", async () => {
    for (
      const [words, flags] of [
        ["help", "--help"],
        ["help dial", "dial --help"],
        ["help rotate", "rotate --help"],
        ["help gateway exec", "gateway exec --help"],
        ["version", "--version"],
        ["version --json", "--version --json"],
      ] as const
    ) {
      const [one, other] = [await runCli(words.split(" ")), await runCli(flags.split(" "))];
      assert.equal(one.code, 0);
      assert.equal(one.transcript, other.transcript, words);
    }
    const { code, stderr } = await runCli(["help", "gatway"]);
    assert.equal(code, 2);
    assert.match(stderr, /Unknown command "gatway" \(did you mean gateway\?\)/);
  });

  it("says in a sentence what is wrong with a command line, exits with 2, and shows no stack", async () => {
    const wrong: readonly [args: string[], stderr: RegExp][] = [
      [["gatway"], /Unknown command "gatway" \(did you mean gateway\?\)/],
      [["token", "mnt"], /Unknown command "token mnt" \(did you mean token mint\?\)/],
      [["xyzzy"], /Unknown command "xyzzy" \(see telequick --help\)/],
      [["--prot", "1"], /Option --prot has no command/],
      [["explain", "a", "b"], /Argument "b" is unexpected/],
      [["hangup"], /Argument CALL is missing: telequick hangup CALL/],
      [["gateway", "exec", "./x"], /Put -- before the command: telequick gateway exec -- \.\/x/],
      [["gateway", "exec", "npm", "test", "--watch"], /telequick gateway exec -- npm/],
      [
        ["gateway", "--port", "99999"],
        /Option --port is "99999", expected a whole number from 0 to 65535/,
      ],
      [
        ["keygen", "--tenan", "x"],
        /Unknown option --tenan of `telequick keygen` \(did you mean --tenant\?\)/,
      ],
      [["gateway", "exec"], /Command is missing: telequick gateway exec -- COMMAND/],
      [["dial", "+15550100"], /No trunk: pass/],
      [["tail"], /No endpoint: pass/],
      [["__proto__"], /Unknown command "__proto__"/],
      [["constructor", "--help"], /Unknown command "constructor"/],
    ];
    for (const [args, expected] of wrong) {
      const { code, stdout, stderr } = await runCli(args);
      assert.equal(code, 2, args.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, expected);
      assert.match(stderr, /^error: [A-Z].*[^.]$/m);
      assert.doesNotMatch(stderr, STACK);
    }
  });

  it("reports to programs of a wrong command line too", async () => {
    for (const args of [["explain", "nothing", "--json"], ["--json", "explain", "nothing"]]) {
      const { code, stderr } = await runCli(args);
      assert.equal(code, 2);
      const { type, code: name, exitCode } = JSON.parse(stderr);
      assert.deepEqual({ type, name, exitCode }, { type: "error", name: "USAGE", exitCode: 2 });
    }
  });
});

describe("the help of every command", () => {
  for (const [name, entry] of Object.entries(commands)) {
    it(`telequick ${name}: names every option with what it does, examples that run, exit codes`, async () => {
      const { code, stdout } = await runCli([...name.split(" "), "--help"]);
      assert.equal(code, 0);
      assert.ok(stdout.startsWith(`telequick ${name}: ${entry.summary}\n`));
      const { options, examples } = await entry.load();
      const specs: OptionSpecs = { ...options, ...COMMON_OPTIONS };
      for (
        const [option, { help, value, type }] of Object.entries(specs)
      ) {
        assert.ok(stdout.includes(`  --${option}`), option);
        assert.match(help, /^[A-Z].*[^.]$/, `${option}: ${help}`);
        if (type !== "flag") assert.match(value ?? "", /^[A-Z][A-Z0-9=-]+$/, option);
      }
      assert.ok(examples.length > 0);
      for (const [line] of examples) assert.ok(line.includes(`telequick ${name.split(" ")[0]}`));
      for (const exitCode of ["0", "1", "2", "130"]) {
        assert.match(stdout, new RegExp(`^  ${exitCode} +\\S`, "m"));
      }
    });
  }
});
