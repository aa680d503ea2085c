import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import type { Call, TeleQuickClient } from "../../mod.ts";
import { clientSetup } from "../support/client_kit.ts";

/** What a program does with a call that was answered. Nothing that it leaves unawaited may end the process. */
type Program = (call: Call, client: TeleQuickClient) => Promise<void>;

/** A model over a WebSocket, as far as the bridge of the README needs one. */
class Model extends EventTarget {
  readonly heard: Int16Array[] = [];
  send(samples: Int16Array): void {
    this.heard.push(samples);
  }
  say(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

const programs: Readonly<Record<string, Program>> = {
  async "the README's bridge with 40 pieces of speech waiting"(call) {
    const model = new Model();
    const audio = call.audio({ sampleRate: 24_000, jitterBufferMs: 60 });
    const speech = audio.writable.getWriter();
    model.addEventListener("message", (event) => {
      const { data } = event as MessageEvent;
      if (data === "interrupted") void audio.clear();
      else void speech.write(new Int16Array(data));
    });
    model.addEventListener("close", () => void call.hangUp());
    const reading = audio.samples.pipeTo(
      new WritableStream({ write: (samples) => model.send(samples) }),
    );
    for (let piece = 0; piece < 40; piece++) {
      model.say(new Int16Array(2_400).buffer);
      if (piece % 15 === 14) model.say("interrupted");
    }
    await reading;
    // The model goes on speaking to a call that is over.
    model.say(new Int16Array(2_400).buffer);
    model.say("interrupted");
    model.dispatchEvent(new Event("close"));
  },
  async "playbacks that are cut and left alone"(call) {
    const audio = call.audio();
    for (let i = 0; i < 5; i++) audio.play(new Int16Array(4_000));
    void audio.flush();
    void audio.clear();
    audio.play(
      (async function* () {
        while (true) yield new Int16Array(160);
      })(),
    );
    for await (const _ of audio.readable);
    void audio.close();
    void audio.clear();
    void audio.flush();
    audio.play(new Int16Array(160));
  },
  async "every verb, not awaited, before and after the end"(call) {
    const all = (): void => {
      void call.mute({ wire: true });
      void call.unmute();
      void call.hold();
      void call.unhold();
      void call.sendDtmf("1w2#");
      void call.transfer("+15550101");
      void call.barge();
      void call.answered();
    };
    all();
    for await (const _ of call.events());
    all();
    void call.hangUp();
  },
  async "an echo through the streams"(call) {
    const audio = call.audio({ source: "live" });
    await audio.readable.pipeThrough(
      new TransformStream({ transform: (frame, out) => out.enqueue(frame.payload) }),
    ).pipeTo(audio.writable).catch(() => {});
  },
};

const endings: Readonly<
  Record<string, (call: Call, story: Awaited<ReturnType<typeof clientSetup>>) => void>
> = {
  "the far end hangs up": () => {},
  "the client is closed": (_call, { client }) => void client.close(),
  "this side hangs up": (call) => void call.hangUp(),
};

describe("A call that ends", () => {
  for (const [what, program] of Object.entries(programs)) {
    for (const [how, end] of Object.entries(endings)) {
      it(`ends no process: ${what}, ${how}`, async () => {
        const stray: unknown[] = [];
        const onStray = (reason: unknown): void => void stray.push(reason);
        process.on("unhandledRejection", onStray);
        try {
          for (const endMs of [0, 1, 20, 30, 100, 250, 990, 2_500]) {
            const isFarEnd = how === "the far end hangs up";
            await using story = await clientSetup({
              gateway: {
                farEnd: ({ to }) =>
                  to === "+15550142"
                    ? [
                      { type: "answer" },
                      { type: "talk", ms: Math.max(1, endMs) },
                      isFarEnd ? { type: "hangUp" } : { type: "echo" },
                    ]
                    : undefined,
              },
            });
            const { client, setup } = story;
            const other = await client.dial({ to: "+15550100", trunkId: "main" });
            const call = await client.dial({ to: "+15550142", trunkId: "main" });
            await setup.clock.advance(0);
            const running = program(call, client).catch(() => {});
            await setup.clock.advance(endMs);
            if (isFarEnd) await setup.clock.advance(40);
            else end(call, story);
            await setup.clock.advance(6_000);
            await running;
            assert.deepEqual(stray, [], `a promise was left alone, ${endMs} ms after the answer`);
            if (how !== "the client is closed") assert.equal(other.state, "answered");
          }
        } finally {
          process.off("unhandledRejection", onStray);
        }
      });
    }
  }
});
