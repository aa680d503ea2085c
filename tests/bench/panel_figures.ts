// deno-lint-ignore-file no-console
/**
 * How late a voice is that goes from the microphone of the panel's page to a program and back to the page's loudspeaker, in real
 * Chromium: `deno run -A --unstable-net tests/bench/panel_figures.ts [--seconds 60]`. Gateway and program have processes of their own.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { findChromium } from "../../scripts/matrix/browser.ts";
import { makeSite } from "../browser/support/panel.ts";
import { speechSamples, writeSound } from "../browser/support/sound.ts";
import { encode, recordFrom, tapSource } from "../browser/support/tap.ts";
import { describeLoop, type RecordedLoop } from "./support/loop_delay.ts";
import type { PanelProcess } from "./support/panel_process.ts";

const SAMPLE_RATE = 48_000;

/** Runs in the page, before its code: both ends of its audio can be led through a tap. */
const tapPage = `
  const streams = [];
  const { mediaDevices } = navigator;
  const ask = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await ask(constraints);
    streams.push(stream);
    return stream;
  };
  const Original = AudioContext;
  globalThis.AudioContext = class extends Original {
    constructor(options) {
      super(options);
      const loudspeaker = this.destination;
      this.end = new GainNode(this);
      this.end.connect(loudspeaker);
      Object.defineProperty(this, "destination", { value: this.end });
      globalThis.heardContext = this;
    }
  };
  globalThis.tapAndRecord = async (seconds) => {
    const context = heardContext;
    const mono = { channelCount: 1, channelCountMode: "explicit" };
    const tap = new AudioWorkletNode(context, "tap", { numberOfInputs: 2, ...mono });
    context.createMediaStreamSource(streams.at(-1)).connect(tap, 0, 0);
    context.end.connect(tap, 0, 1);
    tap.connect(context.end);
    ${recordFrom}
    const { input, output } = await recordFrom(tap.port, seconds * context.sampleRate);
    ${encode}
    return { input: encode(input), output: encode(output) };
  };`;

function start(script: string, argument: string): ChildProcess {
  return spawn(process.execPath, [
    ...["run", "-A", "--quiet", "--no-check", "--unstable-net"],
    fileURLToPath(new URL(`./support/${script}`, import.meta.url)),
    argument,
  ], { stdio: ["pipe", "pipe", "inherit"] });
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.stdin!.end();
  await exited;
}

async function measure(seconds: number): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "panel-figures-" });
  await writeSound(`${folder}/sound.wav`, speechSamples(seconds + 20));
  const site = await makeSite();
  // The page's policy wants a file of its own origin: the tap comes with the worklet.
  await Deno.writeTextFile(new URL("esm/browser/worklet.js", site), tapSource, { append: true });
  const gateway = start("panel_process.ts", site.href);
  const [line] = await once(createInterface({ input: gateway.stdout! }), "line");
  const { url } = JSON.parse(line) as PanelProcess;
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [
      // Chromium's own sandbox needs rights that a container has not.
      "--no-sandbox",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${folder}/sound.wav`,
      "--use-fake-ui-for-media-stream",
    ],
  });
  const page = await browser.newPage();
  await page.addInitScript(tapPage);
  await page.goto(url);
  await page.getByRole("button", { name: "Turn the phone on" }).click();
  await page.getByText("Waiting for a call to").waitFor();
  const program = start("echo_program.ts", line);
  await page.getByRole("button", { name: "Answer" }).click();
  // The first seconds find the level.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const recorded = await page.evaluate<RecordedLoop>(`tapAndRecord(${seconds})`);
  console.log(["page to program to page", ...describeLoop(recorded, SAMPLE_RATE)].join("; "));
  await browser.close();
  await stop(program);
  await stop(gateway);
  await Deno.remove(folder, { recursive: true });
}

const { values: { seconds = "60" } } = parseArgs({
  args: Deno.args,
  options: { seconds: { type: "string" } },
});
await measure(Number(seconds));
