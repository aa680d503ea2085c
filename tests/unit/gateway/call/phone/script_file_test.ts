import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { toneSamples, wavHeader } from "../../../../../src/audio/mod.ts";
import { concatBytes } from "../../../../../src/base/bytes.ts";
import { type FarEndCall, parsePhoneScripts } from "../../../../../src/gateway/mod.ts";
import { TeleQuickError } from "../../../../../mod.ts";

const schema = JSON.parse(
  readFileSync(
    new URL("../../../../../src/gateway/phone_script.schema.json", import.meta.url),
    "utf8",
  ),
);
const fitsSchema = new Ajv2020({ allErrors: true }).compile(schema);

/** A WAV file with a tone of 1 kHz. */
function wav(sampleRate: number, milliseconds = 200): Uint8Array {
  const samples = toneSamples({ frequencyHz: 1_000, sampleRate, milliseconds });
  return concatBytes([
    wavHeader({ sampleRate, samples: samples.length }),
    new Uint8Array(samples.buffer),
  ]);
}

const readFile = (path: string): Uint8Array => {
  if (path === "missing.wav") throw new Error("no such file");
  if (path === "broken.wav") return new Uint8Array([1, 2, 3]);
  return wav(Number(/\d+/.exec(path)?.[0] ?? 8_000));
};

/** The sentence with which a text is refused; `undefined` when it is not. */
async function refusal(text: string): Promise<string | undefined> {
  try {
    await parsePhoneScripts(text, { readFile });
    return undefined;
  } catch (error) {
    assert.ok(error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID", `${error}`);
    return error.message.replace("Cannot read phone scripts: ", "");
  }
}

const script = (steps: string): string => `{"numbers": {"+15550142": ${steps}}}`;

const good: readonly string[] = [
  '{"numbers": {}}',
  '{"$schema": "./phone-script.schema.json", "numbers": {"*": []}}',
  script("[]"),
  script('[{"type": "answer"}]'),
  script('[{"type": "ring"}, {"type": "answer"}, {"type": "echo"}]'),
  script('[{"type": "ring", "ms": 0.5}, {"type": "wait", "ms": 86400000}, {"type": "answer"}]'),
  script('[{"type": "refuse", "errorCode": 4}]'),
  script('[{"type": "hangUp"}]'),
  script('[{"type": "wait", "ms": 50}, {"type": "hangUp", "q850Cause": 127}]'),
  script('[{"type": "answer"}, {"type": "talk", "ms": 800, "atMs": 3200}]'),
  script('[{"type": "answer"}, {"type": "play", "file": "a.wav", "atMs": 0}]'),
  script('[{"type": "answer"}, {"type": "press", "digits": "0123456789*#"}, {"type": "tone"}]'),
  script('[{"type": "answer"}, {"type": "echo", "lossy": true}, {"type": "echo", "lossy": false}]'),
  script('[{"type": "answer"}, {"type": "hangUp", "atMs": 86400000}]'),
  '{"numbers": {"sip:me@desk.example": [], "SIPS:me@[::1]:5061;transport=tcp": [], "+12": []}}',
];

/** Texts that both the schema and the parser refuse. */
const bad: readonly string[] = [
  "[]",
  "{}",
  '{"numbers": []}',
  '{"numbers": {}, "more": 1}',
  '{"$schema": 5, "numbers": {}}',
  '{"numbers": {"15550142": []}}',
  '{"numbers": {"+0": []}}',
  '{"numbers": {"sip:me": []}}',
  '{"numbers": {"": []}}',
  '{"numbers": {"**": []}}',
  script("{}"),
  script("null"),
  script("[7]"),
  script("[null]"),
  script("[[]]"),
  script("[{}]"),
  script('[{"type": "dance"}]'),
  script('[{"type": "toString"}]'),
  script('[{"type": 5}]'),
  script('[{"type": "ring", "ms": -1}]'),
  script('[{"type": "ring", "ms": "5"}]'),
  script('[{"type": "ring", "ms": null}]'),
  script('[{"type": "ring", "ms": 86400001}]'),
  script('[{"type": "ring", "atMs": 5}]'),
  script('[{"type": "wait"}]'),
  script('[{"type": "wait", "ms": 5, "more": 1}]'),
  script('[{"type": "answer", "ms": 5}]'),
  script('[{"type": "answer"}, {"type": "answer"}]'),
  script('[{"type": "refuse"}]'),
  script('[{"type": "refuse", "errorCode": 0}]'),
  script('[{"type": "refuse", "errorCode": 1.5}]'),
  script('[{"type": "refuse", "errorCode": 2147483648}]'),
  script('[{"type": "answer"}, {"type": "refuse", "errorCode": 3}]'),
  script('[{"type": "refuse", "errorCode": 3}, {"type": "refuse", "errorCode": 3}]'),
  script('[{"type": "talk", "ms": 5}]'),
  script('[{"type": "echo"}]'),
  script('[{"type": "tone"}]'),
  script('[{"type": "answer"}, {"type": "talk"}]'),
  script('[{"type": "answer"}, {"type": "talk", "ms": 600001}]'),
  script('[{"type": "answer"}, {"type": "talk", "ms": 5, "atMs": -1}]'),
  script('[{"type": "answer"}, {"type": "talk", "ms": 5, "atMs": "1"}]'),
  script('[{"type": "answer"}, {"type": "press", "digits": ""}]'),
  script('[{"type": "answer"}, {"type": "press", "digits": "12a"}]'),
  script('[{"type": "answer"}, {"type": "press", "digits": 12}]'),
  script(`[{"type": "answer"}, {"type": "press", "digits": "${"1".repeat(101)}"}]`),
  script('[{"type": "answer"}, {"type": "play"}]'),
  script('[{"type": "answer"}, {"type": "play", "file": ""}]'),
  script('[{"type": "answer"}, {"type": "play", "file": 5}]'),
  script('[{"type": "answer"}, {"type": "play", "samples": [1]}]'),
  script('[{"type": "answer"}, {"type": "play", "file": "a.wav", "samples": [1]}]'),
  script('[{"type": "answer"}, {"type": "echo", "lossy": 1}]'),
  script('[{"type": "answer"}, {"type": "echo", "isLossy": true}]'),
  script('[{"type": "answer"}, {"type": "tone", "ms": 5}]'),
  script('[{"type": "hangUp", "q850Cause": 0}]'),
  script('[{"type": "hangUp", "q850Cause": 128}]'),
  script('[{"type": "hangUp", "q850Cause": null}]'),
];

/** Texts that the parser alone refuses: JSON that reads in two ways, and the order of steps. */
const badOrder: readonly string[] = [
  '{"numbers": {"*": [], "*": []}}',
  script('[{"type": "wait", "ms": 1, "ms": 2}]'),
  script('[{"type": "echo"}, {"type": "answer"}]'),
  script('[{"type": "answer"}, {"type": "ring"}]'),
  script('[{"type": "hangUp", "atMs": 5}]'),
];

describe("parsePhoneScripts()", () => {
  it("agrees with the JSON Schema on what a file may hold", async () => {
    for (const text of good) {
      assert.equal(await refusal(text), undefined, text);
      assert.ok(fitsSchema(JSON.parse(text)), `${text}: ${JSON.stringify(fitsSchema.errors)}`);
    }
    for (const text of bad) {
      assert.ok(await refusal(text) !== undefined, `the parser takes ${text}`);
      assert.ok(!fitsSchema(JSON.parse(text)), `the schema takes ${text}`);
    }
    for (const text of badOrder) {
      assert.ok(await refusal(text) !== undefined, `the parser takes ${text}`);
      assert.ok(fitsSchema(JSON.parse(text)), text);
    }
  });

  it("agrees with the schema on every script of steps that stand in a good order", async () => {
    const ms = fc.oneof(
      fc.constantFrom(0, 86_400_000, 86_400_001, -1, 600_000, 600_001),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom("5", null, true, []),
    );
    const optional = (name: string, value: fc.Arbitrary<unknown>) =>
      fc.option(value.map((each) => ({ [name]: each })), { nil: {} });
    const step = (types: string[]) =>
      fc.tuple(
        fc.constantFrom(...types),
        optional("ms", ms),
        optional("atMs", ms),
        optional("q850Cause", fc.oneof(fc.integer({ min: -2, max: 130 }), fc.constant("16"))),
        optional("digits", fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom("1#", "*"))),
        optional("lossy", fc.oneof(fc.boolean(), fc.constant(0))),
        optional("file", fc.constantFrom("a.wav", "", 5)),
        optional("extra", fc.constant(1)),
      ).map(([type, ...members]) => Object.assign({ type }, ...members));
    const before = fc.array(step(["ring", "wait"]), { maxLength: 2 });
    const after = fc.array(
      step(["wait", "play", "talk", "press", "echo", "tone", "hangUp", "other"]),
      { maxLength: 2 },
    );
    await fc.assert(
      fc.asyncProperty(before, after, async (first, rest) => {
        const value = { numbers: { "*": [...first, { type: "answer" }, ...rest] } };
        const isRefused = await refusal(JSON.stringify(value)) !== undefined;
        assert.equal(isRefused, !fitsSchema(value), JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });

  it("names line and column of every fault", async () => {
    const text = (line: string) =>
      `{\n  "numbers": {\n    "+15550142": [\n      ${line}\n    ]\n  }\n}`;
    const faults: readonly (readonly [string, string])[] = [
      [
        text('{"type": "wait", "ms": -1}'),
        'line 4, column 30: step 1 of "+15550142" has ms -1, expected 0 to 86400000',
      ],
      [
        text('{"type": "answer"}, {"type": "answer"}'),
        'line 4, column 36: step 2 of "+15550142" is a second answer, expected one',
      ],
      [
        text('{"type": "talk", "ms": 1}'),
        'line 4, column 16: step 1 of "+15550142" is talk, expected it after answer',
      ],
      [
        text('{"type": "wait", "ms": 1, "msec": 2}'),
        'line 4, column 41: step 1 of "+15550142" has "msec", expected type, ms',
      ],
      [
        text('{"type": "answer"}, {"type": "play", "file": "missing.wav"}'),
        'line 4, column 52: "missing.wav" cannot be played: no such file',
      ],
      [text('{"type": "answer"},'), "line 5, column 5: the text is not JSON"],
      [text('{"type": "wait" "ms": 1}'), "line 4, column 23: the text is not JSON"],
      [text('{"type": "wait", "type": "ring"}'), "line 4, column 24: the text repeats a name"],
      [
        '{"numbers": {"555": []}}',
        'line 1, column 21: "555" is not a phone number in E.164, a SIP URI or *',
      ],
      ['{"numbers": 5}', "line 1, column 13: numbers is a number, expected an object"],
      ["{}", "line 1, column 1: numbers is undefined, expected an object"],
      ["[]", "line 1, column 1: the file is an array, expected an object"],
      ["", "line 1, column 1: the text is not JSON"],
    ];
    for (const [given, expected] of faults) assert.equal(await refusal(given), expected);
    assert.match(
      (await refusal(text('{"type": "answer"}, {"type": "play", "file": "broken.wav"}')))!,
      /^line 4, column 52: "broken.wav" cannot be played: Cannot read WAV file/,
    );
    await assert.rejects(
      parsePhoneScripts(text('{"type": "answer"}, {"type": "play", "file": "a.wav"}')),
      /line 4, column 52: files cannot be read here/,
    );
    await assert.rejects(parsePhoneScripts(5 as unknown as string), TypeError);
    assert.match((await refusal(" ".repeat(4 * 1024 * 1024 + 1)))!, /^the text has 4194305/);
  });

  it("reads WAV files of every rate once each, only when all scripts are good", async () => {
    const rates = [8_000, 16_000, 24_000, 44_100, 48_000];
    const plays = rates.map((rate) => `{"type": "play", "file": "${rate}.wav"}`);
    const steps = `[{"type": "answer"}, ${plays.join(", ")}, ${plays.join(", ")}]`;
    const read: string[] = [];
    const noted = {
      readFile: (path: string) => {
        read.push(path);
        return Promise.resolve(readFile(path));
      },
    };
    const { numbers } = await parsePhoneScripts(script(steps), noted);
    assert.deepEqual(read, rates.map((rate) => `${rate}.wav`));
    const played = numbers.get("+15550142")!.filter((step) => step.type === "play");
    assert.equal(played.length, 10);
    for (const { samples } of played) {
      assert.equal(samples.length, 1_600);
      // The tone is in step with its file: 1 kHz at 8 kHz has a peak in every eighth sample.
      const peaks = [...samples.slice(402, 1_202)].filter((_, i) => i % 8 === 0);
      assert.ok(peaks.every((peak) => Math.abs(peak - 16_384) < 700), `${peaks.slice(0, 3)}`);
    }
    read.length = 0;
    const late = `{"numbers": {"+15550142": ${steps}, "+15550143": [{"type": "other"}]}}`;
    await assert.rejects(parsePhoneScripts(late, noted));
    assert.deepEqual(read, []);
  });

  it("refuses a WAV file that lasts longer than 10 minutes", async () => {
    const long = script('[{"type": "answer"}, {"type": "play", "file": "long.wav"}]');
    await assert.rejects(
      parsePhoneScripts(long, { readFile: () => wav(8_000, 600_001) }),
      /"long.wav" lasts 601 s, expected at most 600/,
    );
  });

  it("chooses by the far end's number; * is for dials to other numbers than phones", async () => {
    const { farEnd } = await parsePhoneScripts(
      '{"numbers": {"+15550142": [{"type": "hangUp"}], "*": [{"type": "answer"}]}}',
    );
    const chosen = (call: Partial<FarEndCall>) => {
      const script = farEnd({
        ...{ callSid: "c", tenantId: "acme", trunkId: "main", direction: "outbound" },
        ...{ to: "+15550150", from: "+15550151", isPhone: false },
        ...call,
      });
      return (script as readonly { readonly type: string }[] | undefined)?.[0]?.type;
    };
    assert.equal(chosen({ to: "+15550142" }), "hangUp");
    assert.equal(chosen({ to: "+15550142", isPhone: true }), "hangUp");
    assert.equal(chosen({}), "answer");
    assert.equal(chosen({ isPhone: true }), undefined);
    assert.equal(chosen({ direction: "inbound", from: "+15550142" }), "hangUp");
    assert.equal(chosen({ direction: "inbound", to: "+15550142" }), undefined);
    assert.equal(chosen({ to: "constructor" }), "answer");
  });
});
