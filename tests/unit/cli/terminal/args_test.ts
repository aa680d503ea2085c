import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type OptionSpecs,
  readArgs,
  type ReadArgsOptions,
} from "../../../../src/cli/terminal/args.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const specs = {
  port: { type: "number", help: "", max: 65_535 },
  rate: { type: "number", help: "", min: 0.5, fraction: true },
  name: { type: "text", help: "", value: "NAME" },
  app: { type: "text", help: "", choices: ["park", "playback"] },
  claim: { type: "list", help: "" },
  yes: { type: "flag", help: "" },
} as const satisfies OptionSpecs;

function read(args: readonly string[], options: Partial<ReadArgsOptions> = {}) {
  return readArgs(args, specs, { command: "gateway", positionals: ["TO", "MORE?"], ...options });
}

function refuses(args: readonly string[], message: string, options?: Partial<ReadArgsOptions>) {
  assert.throws(() => read(args, options), (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, message);
    assert.equal(error.command, "gateway");
    return true;
  });
}

describe("readArgs()", () => {
  it("reads every type of option, before, between and after arguments", () => {
    const { values, positionals, rest } = read([
      ...["--port", "9090", "a", "--rate=1.5", "--name", "x=y", "--claim", "a=1"],
      ...["b", "--claim=b=2", "--yes", "--app", "park"],
    ]);
    assert.deepEqual({ ...values }, {
      port: 9090,
      rate: 1.5,
      name: "x=y",
      app: "park",
      claim: ["a=1", "b=2"],
      yes: true,
    });
    assert.deepEqual(positionals, ["a", "b"]);
    assert.equal(rest, undefined);
  });

  it("leaves what was not given undefined, flags false and lists empty", () => {
    assert.deepEqual({ ...read(["a"]).values }, {
      port: undefined,
      rate: undefined,
      name: undefined,
      app: undefined,
      claim: [],
      yes: false,
    });
  });

  it("keeps what stands behind -- untouched where it may stand, and takes it as arguments elsewhere", () => {
    const { rest, positionals } = read(["a", "--", "npm", "test", "--port", "x", "--"], {
      takesRest: true,
    });
    assert.deepEqual(rest, ["npm", "test", "--port", "x", "--"]);
    assert.deepEqual(positionals, ["a"]);
    assert.deepEqual(read(["--", "a", "--yes"]).positionals, ["a", "--yes"]);
  });

  it("takes a key id that begins with dashes as an argument, and as a value", () => {
    const keyId = "-upaLd7suXoYGuzgGhZlrot3ZuqVwfxwlDk7G7iuRTU";
    const other = `-${keyId.slice(0, -1)}`;
    const { values, positionals, rest } = read([keyId, "--name", other, "--", keyId], {
      takesRest: true,
    });
    assert.deepEqual([positionals, values.name, rest], [[keyId], other, [keyId]]);
    refuses(["a", "-u"], "Unknown option -u of `telequick gateway`");
  });

  it("refuses an option that does not exist, and names the one that was meant", () => {
    refuses(
      ["a", "--prot", "1"],
      "Unknown option --prot of `telequick gateway` (did you mean --port?)",
    );
    refuses(["a", "--zzz"], "Unknown option --zzz of `telequick gateway`");
    refuses(["a", "-p"], "Unknown option -p of `telequick gateway`");
    refuses(["a", "--constructor"], "Unknown option --constructor of `telequick gateway`");
  });

  it("refuses a value that is missing, too much, or given twice", () => {
    refuses(["a", "--name"], "Option --name needs a value: --name NAME");
    refuses(["a", "--name="], "Option --name needs a value: --name NAME");
    refuses(["a", "--name", "--yes"], "Option --name needs a value: --name NAME");
    refuses(["a", "--yes=no"], "Option --yes takes no value");
    refuses(["a", "--port", "1", "--port", "2"], "Option --port is given twice, expected once");
  });

  it("refuses what is not a number, or one out of range", () => {
    for (const text of ["x", "0x10", "1e3", " 1", "1.5", "65536", "Infinity", "NaN"]) {
      refuses(
        ["a", `--port=${text}`],
        `Option --port is ${JSON.stringify(text)}, expected a whole number from 0 to 65535`,
      );
    }
    refuses(["a", "--rate=0.4"], 'Option --rate is "0.4", expected a number of at least 0.5');
  });

  it("refuses a text that is not one of the choices, and names the one that was meant", () => {
    refuses(
      ["a", "--app", "plauback"],
      'Option --app is "plauback", expected one of park, playback (did you mean playback?)',
    );
  });

  it("refuses a missing or superfluous argument", () => {
    refuses([], "Argument TO is missing: telequick gateway TO [MORE]");
    refuses(["a", "b", "c"], 'Argument "c" is unexpected');
  });

  it("does not repeat a token or key that was typed in the wrong place", () => {
    for (
      const secret of ["eyJhbGciOiJSUzI1NiJ9.canary.canary", "-----BEGIN PRIVATE KEY-----canary"]
    ) {
      for (const args of [["a", "b", secret], ["a", "--port", secret], ["a", "--app", secret]]) {
        assert.throws(() => read(args.map((arg) => arg.replace(/^-----/, " -----"))), (error) => {
          assert.ok(error instanceof UsageError);
          assert.ok(!error.message.includes("canary"), error.message);
          return true;
        });
      }
    }
  });
});
