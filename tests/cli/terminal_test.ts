import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { inPipe, inTerminal, startGatewayProcess, telequick } from "../support/terminal.ts";

const COLOUR = new RegExp(`${"\x1b"}\\[\\d+m`);
const CTRL_C = "\x03";

function lines(output: string): string {
  return output.replaceAll("\r\n", "\n");
}

describe("telequick in a terminal", () => {
  it("paints the help and an explanation", async () => {
    for (const args of [["--help"], ["explain", "q850:17"]]) {
      const { code, output } = inTerminal([...telequick, ...args]);
      assert.equal(await code, 0);
      assert.match(output(), COLOUR);
    }
  });

  it("paints nothing where NO_COLOR is set or the terminal is dumb, and nothing in a pipe", async () => {
    const plain = [
      inTerminal([...telequick, "--help"], { env: { NO_COLOR: "1" } }),
      inTerminal([...telequick, "--help"], { env: { TERM: "dumb" } }),
      inPipe([...telequick, "--help"], { env: { TERM: "xterm" } }),
    ];
    for (const { code, output } of plain) {
      assert.equal(await code, 0);
      assert.doesNotMatch(output(), COLOUR);
    }
    // A terminal's lines are wrapped; the words are the same.
    const words = (text: string): string[] => text.trim().split(/\s+/);
    assert.deepEqual(words(plain[0]!.output()), words(plain[2]!.output()));
  });

  it("paints what is wrong, and shows no stack", async () => {
    const { code, output } = inTerminal([...telequick, "gatway"]);
    assert.equal(await code, 2);
    assert.equal(
      lines(output()),
      '\x1b[31merror:\x1b[39m Unknown command "gatway" (did you mean gateway?)\n',
    );
  });

  it("stops a gateway on Ctrl-C, with exit code 0, and leaves nothing behind", async () => {
    const gateway = inTerminal([...telequick, "gateway"]);
    await gateway.until("Ctrl-C stops the gateway");
    const [, , path] = /TELEQUICK_CREDENTIALS=('?)(.+?)\1\s/.exec(gateway.output())!;
    await access(path!);
    gateway.type(CTRL_C);
    assert.equal(await gateway.code, 0);
    assert.match(gateway.output(), /Stopped: 0 sessions, 0 calls/);
    await assert.rejects(access(dirname(path!)));
  });

  it("hangs up on Ctrl-C, reports the last event, and ends at once at the second", async () => {
    const gateway = await startGatewayProcess();
    const { env } = gateway;
    const dial = inTerminal([...telequick, "dial", "+15550100"], { env });
    await dial.until("CHANNEL_ANSWER");
    dial.type(CTRL_C);
    assert.equal(await dial.code, 130);
    assert.match(dial.output(), /Finishing work in progress; press Ctrl-C again to stop at once/);
    assert.match(dial.output(), /CHANNEL_HANGUP_COMPLETE.*COMPLETED/);

    const stuck = inTerminal([...telequick, "dial", "+15550100"], { env });
    await stuck.until("CHANNEL_ANSWER");
    gateway.driven.kill("SIGSTOP");
    stuck.type(CTRL_C);
    await stuck.until("press Ctrl-C again to stop at once");
    stuck.type(CTRL_C);
    assert.equal(await stuck.code, 130);
    assert.doesNotMatch(stuck.output(), /HANGUP_COMPLETE|^\s+at /m);
    gateway.driven.kill("SIGCONT");
    assert.equal(await gateway.stop(), 0);
  });

  it("shows the progress of a load on one line, and none in a pipe", async () => {
    const gateway = await startGatewayProcess();
    const load = [...telequick, "load", "--calls", "12", "--rate", "6", "--seconds", "0.2"];
    const seen = inTerminal(load, { env: gateway.env });
    const piped = inPipe(load, { env: gateway.env });
    assert.equal(await seen.code, 0);
    assert.equal(await piped.code, 0);
    assert.match(seen.output(), /\d+\/12 dialled, \d+ live, \d+ done, 0 failed/);
    assert.ok(seen.output().includes("\r\x1b[K12 calls in"), "it is wiped before the report");
    assert.doesNotMatch(piped.output(), /dialled|\r/);
    assert.doesNotMatch(piped.output(), COLOUR);
    await gateway.stop();
  });

  it("says nothing when the reader of its output goes away", async () => {
    const { code, output } = inPipe([
      ...["bash", "-c", `'${telequick.join("' '")}' explain | head -n 1; echo "\${PIPESTATUS[0]}"`],
    ]);
    assert.equal(await code, 0);
    assert.match(output(), /^sdk: code of a TeleQuickError\n(141|0)\n$/);
  });

  it("ends by itself when its output is closed", async () => {
    const gateway = await startGatewayProcess();
    const { env } = gateway;
    const tail = inPipe(
      [
        "bash",
        "-c",
        `'${telequick.join("' '")}' tail --json | head -n 1; echo "\${PIPESTATUS[0]}"`,
      ],
      { env },
    );
    await tail.until('"listening"');
    let isOver = false;
    void tail.code.then(() => isOver = true);
    while (!isOver) await inPipe([...telequick, "dial", "+15550101"], { env }).code;
    assert.match(tail.output(), /^141$/m);
    await gateway.stop();
  });
});
