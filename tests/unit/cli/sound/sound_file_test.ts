import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readWav } from "../../../../src/audio/mod.ts";
import { SoundFile } from "../../../../src/cli/sound/sound_file.ts";
import { findPlayer } from "../../../../src/cli/sound/player.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

const SAMPLE_RATE = 8_000;

/** A file in memory. */
function memoryFile() {
  const bytes: number[] = [];
  let isClosed = false;
  return {
    read: () => readWav(Uint8Array.from(bytes)),
    isClosed: () => isClosed,
    file: {
      append: (more: Uint8Array) => Promise.resolve(void bytes.push(...more)),
      replaceStart: (start: Uint8Array) =>
        Promise.resolve(void bytes.splice(0, start.length, ...start)),
      close: () => Promise.resolve(void (isClosed = true)),
    },
  };
}

describe("SoundFile", () => {
  it("writes what is heard at its time, with silence for longer pauses alone", async () => {
    const clock = new FakeClock();
    const { file, read, isClosed } = memoryFile();
    const sound = await SoundFile.create(file, { clock, sampleRate: SAMPLE_RATE });
    const frame = new Int16Array(160).fill(7);
    await clock.advance(20);
    await sound.add(frame);
    // Late by less than a tenth of a second: no gap is heard.
    await clock.advance(90);
    await sound.add(frame);
    assert.equal(read().samples.length, 320, "it can be read before its end");
    await clock.advance(2_500);
    await sound.add(frame);
    await clock.advance(1_000);
    assert.equal(await sound.close(), 3.61);
    assert.equal(isClosed(), true);
    const { samples } = read();
    assert.equal(samples.length, 3.61 * SAMPLE_RATE);
    const heard = [...samples.keys()].filter((i) => samples[i] !== 0);
    assert.deepEqual([heard.length, heard[0], heard[319]], [480, 0, 319]);
    assert.equal(heard[320], 2_610 * 8 - 160, "the third frame ends when it was heard");
  });

  it("is a second of silence where nothing was heard", async () => {
    const clock = new FakeClock();
    const { file, read } = memoryFile();
    const sound = await SoundFile.create(file, { clock, sampleRate: SAMPLE_RATE });
    await clock.advance(1_000);
    assert.equal(await sound.close(), 1);
    assert.ok(read().samples.every((sample) => sample === 0));
  });
});

describe("findPlayer()", () => {
  it("takes the first of play, aplay and ffplay that is there", async () => {
    for (const there of [["ffplay", "aplay"], ["ffplay"], ["aplay", "play"]]) {
      const platform = {
        findProgram: (name: string) =>
          Promise.resolve(there.includes(name) ? `/usr/bin/${name}` : undefined),
      };
      const { program, args } = await findPlayer(platform, SAMPLE_RATE);
      const first = ["play", "aplay", "ffplay"].find((name) => there.includes(name));
      assert.equal(program, `/usr/bin/${first}`);
      assert.ok(args.includes("8000"));
    }
  });

  it("names what to install where no player is found", async () => {
    const platform = { findProgram: () => Promise.resolve(undefined) };
    await assert.rejects(findPlayer(platform, SAMPLE_RATE), {
      name: "UsageError",
      exitCode: 2,
      message: /install sox, alsa-utils or ffmpeg/,
    });
  });
});
