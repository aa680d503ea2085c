import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import { fakePlatform, runCli } from "../support/fake_platform.ts";
import { run } from "../../src/cli/run.ts";
import { inTerminal, telequick } from "../support/terminal.ts";

const WIDTHS = [60, 80, 120];

/** The lines that are longer than the terminal is wide, but for those that are copied: addresses, exports, programs, command lines. */
function tooLong(text: string, columns: number): string[] {
  const copied = /^panel |^export |^import |^const |^console|^ {2}(\w+=.*)?(npx )?telequick /;
  return plain(text).split("\n").filter((line) => line.length > columns && !copied.test(line));
}

/** A text without its styles. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[\d+m/g, "");
}

function words(text: string): string[] {
  return plain(text).trim().split(/\s+/);
}

describe("what is printed on a terminal of 60, 80 and 120 columns", () => {
  it("the help of the program and of every command: no line is longer, no word is lost", async () => {
    for (
      const args of [["help"], ...Object.keys(commands).map((name) => ["help", ...name.split(" ")])]
    ) {
      const { stdout: whole } = await runCli(args);
      for (const columns of WIDTHS) {
        const { stdout, code } = await runCli(args, { isTerminal: true, columns });
        assert.equal(code, 0);
        assert.deepEqual(tooLong(stdout, columns), [], `${args.join(" ")} at ${columns}`);
        assert.deepEqual(words(stdout), words(whole));
      }
    }
  });

  it("the introduction of a gateway, whose exports and program stay whole", async () => {
    for (const columns of WIDTHS) {
      const fake = fakePlatform({ args: ["gateway"], isTerminal: true, columns });
      const isReady = new Promise<void>((resolve) =>
        fake.onOutput((text) => text.includes("Ctrl-C stops") && resolve())
      );
      const code = run(fake.platform);
      await isReady;
      fake.send("SIGINT");
      assert.equal(await code, 0);
      assert.deepEqual(tooLong(fake.stdout(), columns), []);
      for (const name of ["ENDPOINT", "CERTIFICATE_HASH", "CREDENTIALS", "TRUNK"]) {
        assert.match(fake.stdout(), new RegExp(`^export TELEQUICK_${name}=\\S+$`, "m"));
      }
    }
  });

  it("the findings of a doctor, under their own column, and an error", async () => {
    for (const columns of WIDTHS) {
      const options = { isTerminal: true, columns };
      const doctor = await runCli(["doctor", "--certificate-hash", "nonsense"], options);
      assert.deepEqual(tooLong(doctor.stdout, columns), []);
      const lines = doctor.stdout.split("\n");
      const at = lines.findIndex((line) => line.includes("Cannot read certificate hash"));
      assert.match(lines[at + 1]!, columns === 120 ? /./ : /^ {22}\S/);
      const failed = await runCli(["dial", "+15550100", "--trunk", "t"], options);
      assert.equal(failed.code, 2);
      assert.deepEqual(tooLong(failed.stderr, columns), []);
    }
  });

  it("the events of a call, under their own column", async () => {
    const gateway = await startCliGateway();
    for (const columns of WIDTHS) {
      const options = { isTerminal: true, columns, env: gateway.env };
      const { code, stdout } = await runCli(["dial", "+15550105"], options);
      assert.equal(code, 0);
      assert.deepEqual(tooLong(stdout, columns), []);
      if (columns === 60) assert.match(plain(stdout), /Q\.850 16\n {11}\(normal call/);
    }
    await gateway.stop();
  });

  it("fits the columns that a terminal really has", async () => {
    for (const columns of WIDTHS) {
      const line = `stty cols ${columns}; exec '${telequick.join("' '")}' help dial`;
      const { code, output } = inTerminal(["sh", "-c", line]);
      assert.equal(await code, 0);
      const text = output().replaceAll("\r\n", "\n");
      assert.deepEqual(tooLong(text, columns), []);
      const longest = Math.max(...plain(text).split("\n").map(({ length }) => length));
      assert.ok(longest > columns - 20, `${longest} of ${columns} columns are used`);
    }
  });
});
