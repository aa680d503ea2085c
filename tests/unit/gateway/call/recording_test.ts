import assert from "node:assert/strict";
import { readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodePcmu, encodePcmu, pcm16Bytes, toneSamples } from "../../../../src/audio/mod.ts";
import type { GatewayLogRecord } from "../../../../src/gateway/mod.ts";
import { Recording, type RecordingFile } from "../../../../src/gateway/call/recording.ts";
import { recordingFile } from "../../../../src/gateway/storage/directory.ts";
import { DialplanAction, EventType, methods } from "../../../../src/wire/mod.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { temporaryFolder } from "../../../support/folder.ts";
import { seed } from "../../../support/seed.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";

const SILENCE = 0xff;
const held = { clientId: "c", defaultApp: DialplanAction.PARK };

/** A file in memory. */
class MemoryFile implements RecordingFile {
  readonly url = "file:///recording.wav";
  bytes: number[] = [];

  append(bytes: Uint8Array): void {
    for (const byte of bytes) this.bytes.push(byte);
  }

  replaceStart(bytes: Uint8Array): void {
    this.bytes.splice(0, bytes.length, ...bytes);
  }
}

/** Reads a WAV file of two channels as a player would: chunk by chunk. */
function readWav(bytes: Uint8Array): { left: Uint8Array; right: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  assert.deepEqual([word(0), word(8)], ["RIFF", "WAVE"]);
  assert.equal(view.getUint32(4, true), bytes.length - 8);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 12; at < bytes.length;) {
    const size = view.getUint32(at + 4, true);
    chunks.set(word(at), bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size + size % 2;
  }
  const format = chunks.get("fmt ")!;
  const fields = new DataView(format.buffer, format.byteOffset, format.length);
  assert.deepEqual([0, 2, 12, 14].map((at) => fields.getUint16(at, true)), [7, 2, 2, 8]);
  assert.deepEqual([4, 8].map((at) => fields.getUint32(at, true)), [8_000, 16_000]);
  const data = chunks.get("data")!;
  const fact = chunks.get("fact")!;
  assert.equal(new DataView(fact.buffer, fact.byteOffset).getUint32(0, true), data.length / 2);
  return {
    left: data.filter((_, i) => i % 2 === 0),
    right: data.filter((_, i) => i % 2 === 1),
  };
}

function recording() {
  const clock = new FakeClock();
  const file = new MemoryFile();
  const failures: unknown[] = [];
  const made = new Recording({ clock, file, onFailed: (error) => void failures.push(error) });
  return {
    ...{ clock, file, failures, recording: made },
    finish() {
      const url = made.finish();
      return { url, ...readWav(Uint8Array.from(file.bytes)) };
    },
  };
}

describe("Recording", () => {
  it("holds both sides, each frame at its time, with silence where nothing was said", async () => {
    const { clock, recording: made, finish } = recording();
    await clock.advance(100);
    made.caller(new Uint8Array(160).fill(1), "PCMU");
    await clock.advance(300);
    made.agent(new Uint8Array(160).fill(2), "PCMU");
    const { url, left, right } = finish();
    assert.equal(url, "file:///recording.wav");
    assert.equal(left.length, (400 + 20) * 8);
    assert.deepEqual(left.subarray(0, 800), new Uint8Array(800).fill(SILENCE));
    assert.deepEqual(left.subarray(800, 960), new Uint8Array(160).fill(1));
    assert.deepEqual(right.subarray(3_200), new Uint8Array(160).fill(2));
    assert.ok(left.subarray(960).every((sample) => sample === SILENCE));
  });

  it("loses no sample of a talk, however its frames jitter, and writes it as it goes on", async () => {
    const late = fc.array(fc.integer({ min: 0, max: 39 }), { minLength: 60, maxLength: 160 });
    await fc.assert(
      fc.asyncProperty(late, async (lateness) => {
        const { clock, file, recording: made, finish } = recording();
        for (const [i, ms] of lateness.entries()) {
          await clock.advance(Math.max(0, i * 20 + ms - clock.monotonic()));
          made.caller(new Uint8Array(160).fill(i), "PCMU");
        }
        const expected = 2 * 160 * (lateness.length - 100);
        assert.ok(file.bytes.length >= expected, `${file.bytes.length} bytes on the way`);
        const { left, right } = finish();
        const heard = left.filter((_, i) => i % 160 === 0);
        const spoken = lateness.map((_, i) => i).filter((i) => i !== SILENCE);
        assert.deepEqual([...heard].filter((sample) => sample !== SILENCE), spoken);
        assert.equal(right.length, left.length);
      }),
      { seed, numRuns: 20 },
    );
  });

  it("takes PCMA and PCM16 as the same sound, and leaves out what is not sound or far ahead of time", () => {
    const tone = toneSamples({ frequencyHz: 440, sampleRate: 16_000, milliseconds: 200 });
    const { recording: made, finish } = recording();
    made.caller(new Uint8Array(161).fill(9), "PCM16");
    made.caller(new Uint8Array(160).fill(9), "OPUS");
    made.caller(new Uint8Array(16_001).fill(9), "PCMU");
    made.caller(pcm16Bytes(tone), "PCM16");
    made.agent(Uint8Array.of(0xd5, 0xd5), "PCMA");
    const { left, right } = finish();
    assert.equal(left.length, 1_600);
    const samples = decodePcmu(left.subarray(400));
    const loudest = Math.max(...samples);
    assert.ok(loudest > 0.9 * Math.max(...tone) && loudest < 1.1 * Math.max(...tone));
    assert.equal(right[0], encodePcmu(Int16Array.of(8))[0]);
  });

  it("writes hours of silence piece by piece", async () => {
    const clock = new FakeClock();
    const pieces: number[] = [];
    const file = {
      url: "file:///recording.wav",
      append: (bytes: Uint8Array) => void pieces.push(bytes.length),
      replaceStart: () => {},
    };
    const made = new Recording({ clock, file, onFailed: () => assert.fail() });
    await clock.advance(3_600_000);
    made.caller(new Uint8Array(160), "PCMU");
    made.agent(new Uint8Array(160), "PCMU");
    made.finish();
    assert.ok(Math.max(...pieces) <= 2 * 2 * 8_000, `${Math.max(...pieces)} bytes at once`);
    const [header = 0, ...sound] = pieces;
    assert.equal(header, 58);
    assert.equal(sound.reduce((sum, size) => sum + size, 0), 2 * (8 * 3_600_000 + 160));
  });

  it("ends once, and gives no URL when the file could not be written", () => {
    const { file, failures, recording: made } = recording();
    file.append = () => {
      throw new Error("ENOSPC");
    };
    for (let i = 0; i < 200; i++) made.caller(new Uint8Array(80), "PCMU");
    assert.equal(made.finish(), "");
    assert.equal(made.finish(), "");
    assert.deepEqual(failures.map(String), ["Error: ENOSPC"]);
  });
});

describe("recordingFile()", () => {
  it("makes a new private file, and leaves what was there under its name", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("other"), "theirs");
    await symlink(folder.at("other"), folder.at("linked.wav"));
    await writeFile(folder.at("old.wav"), "an earlier recording", { mode: 0o644 });
    for (const name of ["linked", "old", "old"]) {
      const file = recordingFile(folder.at(""), name);
      file.append(Uint8Array.of(1, 2, 3));
      file.append(Uint8Array.of(4));
      file.replaceStart(Uint8Array.of(5));
      assert.deepEqual([...await readFile(new URL(file.url))], [5, 2, 3, 4]);
      assert.equal((await stat(new URL(file.url))).mode & 0o777, 0o600);
    }
    assert.equal(await readFile(folder.at("other"), "utf8"), "theirs");
    assert.equal(await readFile(folder.at("old.wav"), "utf8"), "an earlier recording");
    assert.deepEqual((await readdir(folder.at(""))).sort(), [
      ...["linked,2.wav", "linked.wav", "old,2.wav", "old,3.wav", "old.wav", "other"],
    ]);
  });

  it("is found by its name each time it is written: it is not held open, and cannot be written when it is gone", async () => {
    await using folder = await temporaryFolder();
    const file = recordingFile(folder.at("calls"), "a");
    file.append(Uint8Array.of(1));
    await rm(folder.at("calls"), { recursive: true });
    for (const write of [file.append, file.replaceStart]) {
      assert.throws(() => write(Uint8Array.of(2)), {
        code: "ERR_VALUE_INVALID",
        message: /ENOENT$/,
      });
    }
  });
});

describe("createGateway({ recordings })", () => {
  it("names a private file in the last event, in which both sides are heard", async () => {
    await using folder = await temporaryFolder();
    const records: GatewayLogRecord[] = [];
    await using setup = new TestGateway({
      clock: new FakeClock(),
      recordings: folder.at("calls"),
      log: (record) => void records.push(record),
    });
    const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
    const request = { trunkId: "main", to: "+15550106", callSid: "a:b", ...held };
    await client.rpc(methods.Originate, request);
    await setup.clock.advance(1_200);
    await client.rpc(methods.Terminate, { callSid: "a:b" });
    const urls = client.events.map(({ recordingUrl }) => recordingUrl);
    const last = client.events.at(-1)!;
    assert.equal(last.eventType, EventType.CHANNEL_HANGUP_COMPLETE);
    assert.deepEqual(urls.filter((url) => url !== ""), [last.recordingUrl]);
    assert.match(last.recordingUrl, /^file:\/\/\/.*\/calls\/acme,a=b\.wav$/);
    const path = new URL(last.recordingUrl);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const { left } = readWav(await readFile(path));
    assert.ok(left.length >= 8_000);
    assert.ok(left.subarray(0, 7_000).filter((sample) => sample !== SILENCE).length > 6_000);
    assert.ok(records.every(({ event }) => event !== "recording.failed"));
  });

  it("goes on without a recording where the folder cannot be written, and says so", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("calls"), "");
    const records: GatewayLogRecord[] = [];
    await using setup = new TestGateway({
      clock: new FakeClock(),
      recordings: folder.at("calls"),
      log: (record) => void records.push(record),
    });
    const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
    const request = { trunkId: "main", to: "+15550105", callSid: "c", ...held };
    await client.rpc(methods.Originate, request);
    await setup.clock.advance(5_000);
    const { status, recordingUrl } = client.events.at(-1)!;
    assert.deepEqual([status, recordingUrl], ["COMPLETED", ""]);
    const failed = records.filter(({ event }) => event === "recording.failed");
    assert.deepEqual(failed.map(({ callSid, tenantId }) => [callSid, tenantId]), [["c", "acme"]]);
    assert.match(failed[0]!.reason!, /^Cannot make .*calls\/acme,c\.wav: /);
  });
});
