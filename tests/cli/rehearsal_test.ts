import assert from "node:assert/strict";
import { access, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { loadServiceAccount } from "../../mod.ts";
import { pcm16Bytes, readWav, toneSamples, wavHeader } from "../../src/audio/mod.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import { recordsOf, runCli } from "../support/fake_platform.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { type Driven, inPipe, startGatewayProcess, telequick } from "../support/terminal.ts";

type Env = Readonly<Record<string, string>>;

function start(env: Env, ...args: readonly string[]): Driven {
  return inPipe([...telequick, ...args], { env });
}

async function cli(env: Env, ...args: readonly string[]) {
  const { code, output } = start(env, ...args);
  return { code: await code, output: output() };
}

function events(output: string): string[] {
  return recordsOf(output).filter(({ type }) => type === "event").map(({ event, status }) =>
    `${event} ${status}`
  );
}

describe("a key rotation, with the command line alone", () => {
  it("goes from start to finish at a gateway that runs, while a call is up: it does not drop", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startGatewayProcess("--directory", folder.at("gateway"));
    const { env } = gateway;
    const path = env["TELEQUICK_CREDENTIALS"]!;
    const dial = start(env, "dial", "+15550100", "--json");
    await dial.until("CHANNEL_ANSWER");

    const { privateKeyId: old } = await loadServiceAccount(path);
    const started = await cli(env, "rotate", "start");
    assert.equal(started.code, 0, started.output);
    const pem = `${path}.next.pub.pem`;
    assert.ok(
      started.output.includes(`at a gateway on this machine: telequick gateway register ${pem}\n`),
    );
    const early = await cli(env, "rotate", "swap");
    assert.equal(early.code, 1, "the next key is not registered yet");

    const registered = await cli(env, "gateway", "register", pem);
    assert.equal(registered.code, 0, registered.output);
    const swapped = await cli(env, "rotate", "swap");
    assert.equal(swapped.code, 0, swapped.output);
    assert.ok(swapped.output.includes(`telequick gateway revoke ${old}`));
    const unrevoked = await cli(env, "rotate", "finish");
    assert.equal(unrevoked.code, 1);
    assert.ok(unrevoked.output.includes(`telequick gateway revoke ${old})`));

    const revoked = await cli(env, "gateway", "revoke", old, "--json");
    assert.deepEqual(recordsOf(revoked.output), [{
      type: "revoked",
      tenantId: "acme",
      keyId: old,
      unconfirmed: [],
    }]);
    const finished = await cli(env, "rotate", "finish");
    assert.equal(finished.code, 0, finished.output);

    // The session of the old key has ended, and the same call goes on under the new one.
    const { callSid } = recordsOf(dial.output())[0] as { callSid: string };
    assert.equal((await cli(env, "hangup", callSid)).code, 0, "it is still up");
    assert.equal(await dial.code, 0);
    assert.deepEqual(events(dial.output()), [
      "CHANNEL_CREATE INITIATED",
      "CHANNEL_CREATE RINGING",
      "CHANNEL_ANSWER ANSWERED",
      "CHANNEL_HANGUP_COMPLETE COMPLETED",
    ]);
    // After a restart the new key signs in and the old one stays refused.
    await gateway.stop();
    const again = await startGatewayProcess("--directory", folder.at("gateway"));
    assert.equal((await cli(env, "dial", "+15550105")).code, 0);
    await again.stop();
    for (const { output } of [started, registered, swapped, unrevoked, finished]) {
      assert.doesNotMatch(output, /BEGIN|MII|eyJ/);
    }
  });

  it("is refused without the gateway's own control file, with another key in it, and for a PEM without a key", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startGatewayProcess("--credentials", folder.at("account.json"));
    const { env } = gateway;
    const control = folder.at("account.json.control");
    const file = JSON.parse(await readFile(control, "utf8"));
    if (process.platform !== "win32") {
      assert.equal((await stat(control)).mode & 0o777, 0o600);
      assert.equal((await stat(dirname(file.socket))).mode & 0o777, 0o700);
    }
    await writeFile(folder.at("text.pem"), "hello");
    const wrong = await cli(env, "gateway", "register", folder.at("text.pem"));
    assert.equal(wrong.code, 2, wrong.output);
    const unknown = await cli(env, "gateway", "revoke", "no-such-key");
    assert.equal(unknown.code, 2);
    assert.match(unknown.output, /the tenant has no key with this private_key_id/);
    // A question with another key.
    await writeFile(control, JSON.stringify({ ...file, key: "guessed" }));
    const foreign = await cli(env, "gateway", "revoke", "x");
    assert.equal(foreign.code, 1);
    assert.match(foreign.output, /the key is not this gateway's/);
    await cli(
      {},
      "keygen",
      "--tenant",
      "acme",
      "--out",
      folder.at("k.json"),
      "--public",
      folder.at("k.pem"),
    );
    const elsewhere = await cli(
      env,
      "gateway",
      "register",
      folder.at("k.pem"),
      "--credentials",
      folder.at("k.json"),
    );
    assert.equal(elsewhere.code, 2);
    assert.match(elsewhere.output, /none that runs made this file.*start one: telequick gateway/);
    await gateway.stop();
    const stopped = await cli(env, "gateway", "register", folder.at("k.pem"));
    assert.equal(stopped.code, 2);
  });
});

/** A WAV file with a second of a 1 kHz tone. */
async function toneFile(folder: TemporaryFolder, sampleRate: number): Promise<string> {
  const samples = toneSamples({ frequencyHz: 1_000, sampleRate, milliseconds: 1_000 });
  const path = folder.at("tone.wav");
  await writeFile(
    path,
    concatBytes([wavHeader({ sampleRate, samples: samples.length }), pcm16Bytes(samples)]),
  );
  return path;
}

/** How strong a frequency is in samples, 0 to 1 (Goertzel). */
function strength(samples: Int16Array, frequencyHz: number, sampleRate: number): number {
  const step = 2 * Math.cos(2 * Math.PI * frequencyHz / sampleRate);
  let [last, before, energy] = [0, 0, 0];
  for (const sample of samples) {
    [last, before] = [sample + step * last - before, last];
    energy += sample * sample;
  }
  return 2 * (last * last + before * before - step * last * before) / (samples.length * energy);
}

describe("the sound of a call", () => {
  it("plays a WAV file of 48 kHz to the far end, and records what comes back", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startGatewayProcess();
    const path = await toneFile(folder, 48_000);
    const { code, output } = await cli(
      gateway.env,
      ...["dial", "+15550100", "--play", path, "--record", folder.at("heard.wav")],
      ...["--hang-up-after", "0.5", "--json"],
    );
    assert.equal(code, 0, output);
    const [played] = recordsOf(output).filter(({ type }) => type === "played");
    assert.ok(Math.abs(Number(played!["seconds"]) - 1) < 0.02, `${played!["seconds"]} s`);
    const [recorded] = recordsOf(output).filter(({ type }) => type === "recorded");
    assert.equal(recorded!["path"], folder.at("heard.wav"));
    const { samples, sampleRate } = readWav(await readFile(folder.at("heard.wav")));
    assert.equal(sampleRate, 8_000);
    assert.equal(samples.length, Number(recorded!["seconds"]) * 8_000);
    // Where the echo is loud it is the tone.
    const begin = samples.findIndex((sample) => Math.abs(sample) > 1_000);
    assert.ok(begin >= 0, "the echo is in the recording");
    const middle = samples.subarray(begin + 1_600, begin + 3_200);
    assert.ok(strength(middle, 1_000, 8_000) > 0.5);
    if (process.platform !== "win32") {
      assert.equal((await stat(folder.at("heard.wav"))).mode & 0o777, 0o600);
    }
    await gateway.stop();
  });

  it("finds what is wrong with files and players before a call is placed: exit code 2", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("voice.mp3"), "ID3 and so on, an album");
    await writeFile(folder.at("there.wav"), "");
    const env = { TELEQUICK_ENDPOINT: "https://127.0.0.1:9", TELEQUICK_TRUNK: "t" };
    const dial = (...args: string[]) =>
      runCli(["dial", "+15550100", ...args], {
        env,
        parts: { findProgram: () => Promise.resolve(undefined) },
      });
    const cases: readonly [args: string[], message: RegExp][] = [
      [["--play", folder.at("none.wav")], /Cannot read .*none\.wav": no such file/],
      [
        ["--play", folder.at("voice.mp3")],
        /Cannot read WAV file ".*voice\.mp3": it is an MP3 file, expected 16-bit PCM/,
      ],
      [["--record", folder.at("there.wav")], /Cannot write .*there\.wav": it exists already/],
      [["--listen"], /no player was found on PATH.*install sox, alsa-utils or ffmpeg/],
      [["--echo-test", "--record", "x.wav"], /--echo-test does not go with/],
      [["--detach", "--listen"], /--detach does not go with/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await dial(...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, message);
    }
    assert.deepEqual((await readdir(folder.path)).sort(), ["there.wav", "voice.mp3"]);
  });

  it("hands what is heard to a player on PATH, as 16-bit samples of 8 kHz", async () => {
    if (process.platform === "win32") return;
    await using folder = await temporaryFolder();
    const gateway = await startGatewayProcess();
    await writeFile(
      folder.at("play"),
      `#!/bin/sh\necho "$@" > ${folder.at("arguments")}\ncat > ${folder.at("sound")}\n`,
      { mode: 0o755 },
    );
    const env = { ...gateway.env, PATH: `${folder.path}:${process.env["PATH"]}` };
    const { code, output } = await cli(
      env,
      "dial",
      "+15550106",
      "--listen",
      "--hang-up-after",
      "0.6",
    );
    assert.equal(code, 0, output);
    assert.equal(
      await readFile(folder.at("arguments"), "utf8"),
      "-q -t raw -e signed -b 16 -c 1 -r 8000 -\n",
    );
    const bytes = await readFile(folder.at("sound"));
    const samples = new Int16Array(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    );
    assert.ok(samples.length > 1_600, `${samples.length} samples`);
    assert.ok(strength(samples.subarray(-800), 440, 8_000) > 0.5);
    await gateway.stop();
  });
});

describe("incoming calls", () => {
  it("come in by call-in and are answered by answer, which echoes until it hangs up", async () => {
    const gateway = await startGatewayProcess();
    const { env } = gateway;
    const answering = start(env, "answer", "--echo", "--hang-up-after", "1", "--json");
    await answering.until('"waiting"');
    const call = await cli(env, "call-in", "--from", "+15550142", "--json");
    assert.equal(call.code, 0, call.output);
    assert.equal(await answering.code, 0, answering.output());
    const answered = recordsOf(answering.output()).find(({ type }) => type === "answered");
    const [rang] = recordsOf(call.output).filter(({ type }) => type === "call-in");
    assert.equal(answered!["from"], "+15550142");
    assert.equal(answered!["callSid"], rang!["callSid"]);
    assert.ok(events(call.output).includes("CHANNEL_ANSWER ANSWERED"));
    assert.equal(events(call.output).at(-1), "CHANNEL_HANGUP_COMPLETE COMPLETED");
    await gateway.stop();
  });

  it("are greeted with a file and recorded: the caller sends the greeting back", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startGatewayProcess();
    const { env } = gateway;
    const path = await toneFile(folder, 16_000);
    const rang = await cli(env, "call-in", "--detach");
    assert.equal(rang.code, 0);
    assert.match(rang.output, /^[0-9a-f-]{36}\n$/);
    const { code, output } = await cli(
      env,
      ...["answer", "--play", path, "--record", folder.at("caller.wav"), "--hang-up-after", "0.5"],
    );
    assert.equal(code, 0, output);
    assert.match(output, /Played 1\.0 s of .*tone\.wav/);
    assert.match(output, /Recorded \d\.\d s: \/.*caller\.wav/);
    const { samples } = readWav(await readFile(folder.at("caller.wav")));
    assert.ok(samples.some((sample) => Math.abs(sample) > 1_000));
    await gateway.stop();
  });

  it("are refused once route says so, and answer gives up in time", async () => {
    const gateway = await startGatewayProcess();
    const { env } = gateway;
    const routed = await cli(env, "route", "--reject", "--json");
    assert.deepEqual(recordsOf(routed.output), [
      { type: "route", trunkId: env["TELEQUICK_TRUNK"]!, rule: "reject" },
    ]);
    const refused = await cli(env, "call-in");
    assert.equal(refused.code, 1);
    assert.match(refused.output, /Refused with SIP status 603: the trunk rejects incoming calls/);
    const elsewhere = await cli(env, "call-in", "--detach", "--trunk", "other");
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.output, /SIP status 404: the gateway has no such trunk/);
    const none = await cli(env, "answer", "--wait", "0.1");
    assert.equal(none.code, 1);
    assert.match(none.output, /No call came in on trunk-1/);
    const webhook = await cli(env, "route", "--webhook", "http://127.0.0.1:9/calls");
    assert.equal(webhook.code, 0, webhook.output);
    const rings = await cli(env, "call-in", "--detach");
    assert.equal(rings.code, 0, rings.output);
    for (
      const args of [[], ["--reject", "--audio", "x"], ["--webhook", "ftp://x"]]
    ) {
      assert.equal((await cli(env, "route", ...args)).code, 2, args.join(" "));
    }
    const bad = await cli(env, "call-in", "--from", "him");
    assert.equal(bad.code, 2, bad.output);
    assert.match(bad.output, /neither a phone number in E\.164 nor a SIP URI/);
    await gateway.stop();
    const gone = await cli(env, "call-in", "--detach");
    assert.equal(gone.code, 2);
    assert.match(
      gone.output,
      /the gateway that made this file has stopped: take its exports again/,
    );
    await assert.rejects(access(env["TELEQUICK_CREDENTIALS"]!));
  });
});
