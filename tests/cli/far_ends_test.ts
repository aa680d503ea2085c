import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { toneSamples, wavHeader } from "../../src/audio/mod.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import { runCli } from "../support/fake_platform.ts";
import { temporaryFolder } from "../support/folder.ts";

/** A WAV file of 16 kHz with 300 ms of a tone. */
function wav(): Uint8Array {
  const samples = toneSamples({ frequencyHz: 1_000, sampleRate: 16_000, milliseconds: 300 });
  const header = wavHeader({ sampleRate: 16_000, samples: samples.length });
  return new Uint8Array([...header, ...new Uint8Array(samples.buffer)]);
}

describe("telequick gateway --script", () => {
  it("has far ends do what the file says, with WAV files from its own folder", async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.at("sounds"));
    await writeFile(folder.at("sounds/hello.wav"), wav());
    const numbers = {
      "+15550142": [
        { type: "answer" },
        { type: "play", file: "sounds/hello.wav" },
        { type: "hangUp", q850Cause: 31 },
      ],
      "+15550143": [{ type: "answer" }, { type: "play", file: folder.at("sounds/hello.wav") }],
      "*": [{ type: "hangUp", q850Cause: 1 }],
    };
    await writeFile(folder.at("script.json"), JSON.stringify({ numbers }));
    const gateway = await startCliGateway(["--script", folder.at("script.json")]);
    const { endpoint, certificateHash, credentials, trunkId } = gateway.record;
    {
      await using client = new TeleQuickClient(endpoint!, credentials, false, certificateHash);
      const dial = (to: string) => client.dial({ to, trunkId: trunkId! });
      const call = await dial("+15550142");
      let samples = 0;
      for await (const chunk of call.audio().samples) samples += chunk.length;
      assert.equal(samples, 2_400, "300 ms at 8 kHz");
      assert.equal((await call.ended).q850Cause, 31);
      assert.equal((await (await dial("+15550100")).ended).q850Cause, 1, "every other number");
      assert.equal((await (await dial("+15550120")).ended).q850Cause, 20, "the phone still rings");
    }
    assert.equal(await gateway.stop(), 0);
  });

  for (const command of ["gateway", "gateway exec"]) {
    it(`names line and column of a wrong file, and starts nothing: ${command}`, async () => {
      await using folder = await temporaryFolder();
      const path = folder.at("script.json");
      const run = async (text: string) => {
        await writeFile(path, text);
        const rest = command === "gateway" ? [] : ["--", "node", "--version"];
        return await runCli([...command.split(" "), "--script", path, ...rest]);
      };
      const faults = [
        [
          '{\n  "numbers": {\n    "555": []\n  }\n}',
          'line 3, column 12: "555" is not a phone number',
        ],
        ['{"numbers": {"*": [{"type": "answer"},]}}', "line 1, column 39: the text is not JSON"],
        ['{"numbers": {"*": [{"type": "wait"}]}}', 'line 1, column 20: step 1 of "*" has ms'],
        [
          '{"numbers": {"*": [{"type": "answer"}, {"type": "play", "file": "no.wav"}]}}',
          'line 1, column 65: "no.wav" cannot be played: Cannot read',
        ],
        [
          '{"numbers": {"*": [{"type": "answer"}, {"type": "play", "file": "script.json"}]}}',
          'line 1, column 65: "script.json" cannot be played: Cannot read WAV file',
        ],
      ] as const;
      for (const [text, expected] of faults) {
        const { code, stdout, stderr } = await run(text);
        assert.equal(code, 2, stderr);
        assert.equal(stdout, "");
        assert.ok(stderr.startsWith("error: Cannot read script "), stderr);
        assert.ok(stderr.includes(`script.json": ${expected}`), stderr);
      }
      const missing = await runCli(["gateway", "--script", folder.at("none.json")]);
      assert.equal(missing.code, 2);
      assert.match(missing.stderr, /none.json": no such file/);
    });
  }
});

describe("telequick gateway --phone", () => {
  it("has the numbers ring for a person, and no other", async () => {
    const numbers = ["--phone", "+15550170", "--phone", "sip:me@desk.example"];
    const gateway = await startCliGateway(numbers);
    const { endpoint, certificateHash, credentials, trunkId } = gateway.record;
    {
      await using client = new TeleQuickClient(endpoint!, credentials, false, certificateHash);
      const causeOf = async (to: string): Promise<number> =>
        (await (await client.dial({ to, trunkId: trunkId!, maxDurationMs: 100 })).ended).q850Cause;
      assert.equal(await causeOf("+15550170"), 20);
      assert.equal(await causeOf("sip:me@desk.example"), 20);
      assert.equal(await causeOf("+15550120"), 16, "it echoes, as any other number");
    }
    assert.equal(await gateway.stop(), 0);
  });

  it("refuses what cannot be called", async () => {
    const { code, stderr } = await runCli(["gateway", "--phone", "555"]);
    assert.equal(code, 2);
    assert.match(stderr, /^error: Option --phone is "555", expected a phone number such as/);
  });
});
