import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createOutput, inLine } from "../../../../src/cli/terminal/output.ts";
import { styleOf } from "../../../../src/cli/terminal/style.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { fakePlatform } from "../../../support/fake_platform.ts";

describe("createOutput()", () => {
  it("writes results for people, or one object a line for machines", () => {
    const people = fakePlatform();
    const machines = fakePlatform();
    for (const [{ platform }, json] of [[people, false], [machines, true]] as const) {
      const output = createOutput(platform, { json });
      output.emit({ type: "call", callSid: "a" }, "Dialled a");
      output.emit({ type: "detail" });
      output.note("by the way");
      output.warn("careful");
      output.raw("as it is");
    }
    assert.equal(people.stdout(), "Dialled a\nas it is\n");
    assert.equal(people.stderr(), "by the way\nwarning: careful\n");
    assert.equal(machines.stdout(), '{"type":"call","callSid":"a"}\n{"type":"detail"}\nas it is\n');
    assert.equal(machines.stderr(), '{"type":"warning","message":"careful"}\n');
  });

  it("escapes what a peer's text could steer a terminal with, and keeps its own colours", () => {
    const { platform, stdout } = fakePlatform({ isTerminal: true });
    const { bad } = styleOf(platform.stdout, platform.variable);
    createOutput(platform, { json: false }).emit(
      { type: "x" },
      `${bad("red")} \x1b[2J \x1b]0;title\x07 \x9b1m \x7f`,
    );
    assert.equal(
      stdout(),
      "\x1b[31mred\x1b[39m \\u001b[2J \\u001b]0;title\\u0007 \\u009b1m \\u007f\n",
    );
  });

  it("shows progress on a terminal once it has taken a second, over one line, and wipes it", async () => {
    const clock = new FakeClock();
    const { platform, stderr } = fakePlatform({ isTerminal: true });
    const output = createOutput(platform, { json: false, clock });
    let done = 0;
    const stop = output.progress(() => `${done} done`);
    await clock.advance(999);
    assert.equal(stderr(), "");
    await clock.advance(1);
    assert.equal(stderr(), "0 done");
    done = 1;
    await clock.advance(100);
    assert.equal(stderr(), "0 done\r\x1b[K1 done");
    output.emit({ type: "x" }, "a line");
    assert.equal(stderr(), "0 done\r\x1b[K1 done\r\x1b[K1 done", "a line pushes it down");
    stop();
    assert.ok(stderr().endsWith("\r\x1b[K"));
    assert.equal(clock.pending, 0);
  });

  it("shows no progress of what is quick, none in a pipe, none in JSON", async () => {
    for (
      const [isTerminal, json, ms] of [[true, false, 999], [false, false, 5_000], [
        true,
        true,
        5_000,
      ]] as const
    ) {
      const clock = new FakeClock();
      const { platform, stderr } = fakePlatform({ isTerminal });
      const stop = createOutput(platform, { json, clock }).progress(() => "working");
      await clock.advance(ms);
      stop();
      assert.equal(stderr(), "");
      assert.equal(clock.pending, 0);
    }
  });

  it("cuts progress at the terminal's width", async () => {
    const clock = new FakeClock();
    const { platform, stderr } = fakePlatform({ isTerminal: true });
    const stop = createOutput(platform, { json: false, clock }).progress(() => "x".repeat(200));
    await clock.advance(1_000);
    assert.equal(stderr().length, 79);
    stop();
  });
});

describe("styleOf()", () => {
  it("paints on a terminal alone, and not where NO_COLOR or a dumb terminal says otherwise", () => {
    const on = { isTerminal: true, columns: 80, write: () => Promise.resolve() };
    const env = (name: string, value: string) => (asked: string) =>
      asked === name ? value : undefined;
    assert.equal(styleOf(on, env("TERM", "xterm")).bold("x"), "\x1b[1mx\x1b[22m");
    for (
      const plain of [
        styleOf({ ...on, isTerminal: false }, env("TERM", "xterm")),
        styleOf(on, env("NO_COLOR", "1")),
        styleOf(on, env("TERM", "dumb")),
      ]
    ) {
      for (const paint of Object.values(plain)) assert.equal(paint("x"), "x");
    }
  });
});

it("inLine() keeps a peer's text to one line", () => {
  assert.equal(inLine("a\nb\r\x1b[1m\u2028"), "a\\u000ab\\u000d\\u001b[1m\\u2028");
});
