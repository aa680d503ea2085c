import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Call, TeleQuickClient } from "../../../../mod.ts";
import { type AudioCodec, Resampler } from "../../../../src/audio/mod.ts";
import { find, noise } from "../../../support/hearing.ts";
import type { RawClient } from "../../../support/raw_client.ts";
import { answer, PHONE, PhoneKit } from "./phone_kit.ts";

type Link = ReturnType<Call["audio"]>;

/** A program and a person who talk to each other over the phone. */
interface Conversation extends AsyncDisposable {
  readonly kit: PhoneKit;
  readonly program: Side;
  readonly person: Side;
}

/** One side of a conversation, and what it has heard: at 8 kHz, one packet after the other. */
class Side {
  readonly call: Call;
  readonly link: Link;
  readonly #chunks: Int16Array[] = [];

  constructor(call: Call, codec: AudioCodec) {
    this.call = call;
    this.link = call.audio({ codec });
    void this.#listen();
  }

  /** Says noise that no other seed says. */
  say(ms: number, seed: number): Promise<void> {
    const writer = this.link.writable.getWriter();
    return writer.write(noise(ms, seed, this.link.sampleRate)).finally(() => writer.releaseLock());
  }

  heard(): Int16Array {
    const all = Int16Array.from(this.#chunks.flatMap((chunk) => [...chunk]));
    return new Resampler({ inputRate: this.link.sampleRate, outputRate: 8_000 }).push(all);
  }

  async #listen(): Promise<void> {
    for await (const chunk of this.link.samples) this.#chunks.push(chunk);
  }
}

async function converse(ofProgram: AudioCodec, ofPerson: AudioCodec): Promise<Conversation> {
  const kit = await PhoneKit.make();
  const person = await kit.phoneClient();
  const program = new TeleQuickClient("https://gateway.test", kit.acme.account, false, {
    webTransport: kit.gateway.webTransport,
    clock: kit.clock,
  });
  await program.connect();
  const dialled = await program.dial({ to: PHONE, trunkId: "main" });
  await kit.clock.advance(100);
  const [waiting] = kit.gateway.inspect().calls.filter(({ tenantId }) => tenantId === "phone");
  const answered = await person.answerIncomingCall({ callSid: waiting!.callSid });
  await kit.clock.advance(50);
  await dialled.answered();
  return {
    kit,
    program: new Side(dialled, ofProgram),
    person: new Side(answered, ofPerson),
    async [Symbol.asyncDispose]() {
      const closing = Promise.all([program.close(), person.close()]);
      await kit.clock.advance(10_000);
      await closing;
      await kit[Symbol.asyncDispose]();
    },
  };
}

/** How loud a frequency is in samples at 8 kHz, 0 to 1 of full scale (Goertzel). */
function loudness(samples: Int16Array, hz: number): number {
  const factor = 2 * Math.cos(2 * Math.PI * hz / 8_000);
  let [last, before] = [0, 0];
  for (const sample of samples) [last, before] = [sample + factor * last - before, last];
  return Math.sqrt(last * last + before * before - factor * last * before) /
    (samples.length / 2) / 32_768;
}

const codecs: readonly (readonly [AudioCodec, AudioCodec])[] = [
  ["PCMU", "PCMU"],
  ["PCM16", "PCM16"],
  ["PCMU", "PCM16"],
  ["PCM16", "PCMU"],
  ["PCMA", "PCM16"],
];

describe("What is heard over the phone", () => {
  for (const [ofProgram, ofPerson] of codecs) {
    it(`is the other side, in one's own codec, and never oneself: ${ofProgram} and ${ofPerson}`, async () => {
      await using conversation = await converse(ofProgram, ofPerson);
      const { kit, program, person } = conversation;
      // Each shows by its first packet what it speaks.
      void program.say(20, 7);
      void person.say(20, 8);
      await kit.clock.advance(100);
      void program.say(800, 1);
      void person.say(800, 2);
      await kit.clock.advance(1_500);
      const [byProgram, byPerson] = [noise(780, 1), noise(780, 2)];
      const isLike = (said: Int16Array, heard: Int16Array) => find(said, heard).correlation;
      assert.ok(isLike(byProgram, person.heard()) > 0.95, "the person hears the program");
      assert.ok(isLike(byPerson, program.heard()) > 0.95, "the program hears the person");
      assert.ok(isLike(byProgram, program.heard()) < 0.3, "the program does not hear itself");
      assert.ok(isLike(byPerson, person.heard()) < 0.3, "the person does not hear itself");
      for (const { quality } of kit.gateway.inspect().calls) assert.equal(quality.packetsLost, 0);
    });
  }

  it("comes in the codec that its listener speaks, and in PCMU before it has spoken", async () => {
    await using kit = await PhoneKit.make();
    const [page, program] = [await kit.page(), await kit.program()];
    await kit.call(program, "dial");
    await kit.clock.advance(0);
    const callSid = await answer(page);
    const [pages, programs] = [await page.openAudio(), await program.openAudio()];
    const wide = { payload: new Uint8Array(640), codec: "PCM16" };
    await pages.send({ ...wide, callSid, sequenceNumber: 0 });
    await programs.send({ ...wide, callSid: "dial", sequenceNumber: 0 });
    await kit.clock.advance(20);
    await pages.send({ ...wide, callSid, sequenceNumber: 1 });
    await programs.send({
      ...{ payload: new Uint8Array(160), codec: "PCMA", callSid: "dial", sequenceNumber: 1 },
    });
    await kit.clock.advance(20);
    await pages.send({ ...wide, callSid, sequenceNumber: 2 });
    await kit.clock.advance(20);
    const shapes = (client: RawClient) =>
      client.audio.map(({ codec, payload }) => `${codec} ${payload.length}`);
    assert.deepEqual(shapes(program), ["PCMU 160", "PCM16 640", "PCMA 160"]);
    assert.deepEqual(shapes(page), ["PCM16 640", "PCM16 640"]);
  });

  it("are the tones of a key that the other side presses, also while both talk", async () => {
    await using conversation = await converse("PCMU", "PCM16");
    const { kit, program, person } = conversation;
    const pressing = program.call.sendDtmf("5");
    await kit.clock.advance(1_000);
    await pressing;
    // 5 is 770 Hz and 1,336 Hz (ITU-T Q.23), each a quarter of full scale.
    const tones = person.heard().subarray(0, 800);
    assert.ok(loudness(tones, 770) > 0.2 && loudness(tones, 1_336) > 0.2);
    assert.ok(loudness(tones, 941) < 0.05);
    assert.equal(program.heard().length, 0, "the side that pressed hears nothing of it");
    const before = program.heard().length;
    const back = person.call.sendDtmf("#");
    void person.say(400, 3);
    await kit.clock.advance(1_000);
    await back;
    const mixed = program.heard().subarray(before);
    assert.ok(find(noise(380, 3), mixed).correlation > 0.6, "the voice goes on");
    const loudest = Math.max(
      ...Array.from(
        { length: 20 },
        (_, i) => loudness(mixed.subarray(i * 160, i * 160 + 800), 941),
      ),
    );
    assert.ok(loudest > 0.15, `941 Hz of the key # at ${loudest}`);
  });

  it("levels and quality of both legs are seen by a watcher", async () => {
    await using conversation = await converse("PCMU", "PCM16");
    const { kit, program } = conversation;
    const watch = kit.gateway.watch({ levels: true });
    void program.say(600, 1);
    await kit.clock.advance(450);
    const calls = kit.gateway.inspect().calls;
    const [ofProgram] = calls.filter(({ tenantId }) => tenantId === "acme");
    const [ofPerson] = calls.filter(({ tenantId }) => tenantId === "phone");
    assert.ok(ofProgram!.levels.toFarEnd > 0.05 && ofPerson!.levels.fromFarEnd > 0.05);
    assert.deepEqual([ofProgram!.levels.fromFarEnd, ofPerson!.levels.toFarEnd], [0, 0]);
    await watch.return!();
  });
});
