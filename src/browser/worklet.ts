/**
 * The processor that runs on the audio thread: the microphone in, the loudspeaker out. Served as a file of its own, or built into
 * the package as text.
 *
 * @module
 */

import { Capture } from "./worklet/capture.ts";
import { LevelMeter } from "./worklet/level_meter.ts";
import {
  type FromMicrophone,
  type FromProcessor,
  MAX_BLOCKS_AHEAD,
  processorName,
  type ProcessorOptions,
  type ProcessorStatus,
  type ToProcessor,
  type ToSpeaker,
} from "./worklet/messages.ts";
import { Playback } from "./worklet/playback.ts";

/** The part of an AudioWorkletGlobalScope that is used (W3C Web Audio section 1.32). */
interface WorkletScope {
  readonly AudioWorkletProcessor: new () => { readonly port: MessagePort };
  registerProcessor(
    name: string,
    processor: new (options: { readonly processorOptions: ProcessorOptions }) => unknown,
  ): void;
  readonly sampleRate: number;
}

const scope = globalThis as unknown as WorkletScope;
const { sampleRate, AudioWorkletProcessor = class {} as WorkletScope["AudioWorkletProcessor"] } =
  scope;

const STATUS_SECONDS = 0.02;

class VoiceProcessor extends AudioWorkletProcessor {
  readonly #capture = new Capture(sampleRate);
  readonly #playback: Playback;
  readonly #input = new LevelMeter(sampleRate);
  readonly #output = new LevelMeter(sampleRate);
  #audio: MessagePort | undefined;
  #isSending = false;
  #isOpen = true;
  // Blocks under way to the other side of the call's audio.
  #ahead = 0;
  #captured = 0;
  #dropped = 0;
  #sinceStatus = 0;
  #isStatusUnread = false;
  #underruns: number[] = [];

  constructor({ processorOptions }: { readonly processorOptions: ProcessorOptions }) {
    super();
    this.#playback = new Playback({ sampleRate, slackMs: processorOptions.slackMs });
    this.port.onmessage = ({ data }: MessageEvent<ToProcessor>) => this.#obey(data);
  }

  process([input]: readonly Float32Array[][], [output]: readonly Float32Array[][]): boolean {
    const [heard] = input ?? [];
    const [played] = output ?? [];
    const length = played?.length ?? heard?.length ?? 0;
    this.#capture.push(heard, length, (block) => this.#emit(block));
    this.#input.push(heard, length);
    if (played !== undefined) this.#playback.render(played);
    this.#output.push(played, length);
    if (this.#isOpen) this.#report(length);
    else this.port.postMessage("closed" satisfies FromProcessor);
    return this.#isOpen;
  }

  #obey(message: ToProcessor): void {
    switch (message.type) {
      case "connect":
        return this.#connect(message.port);
      case "sends":
        this.#isSending = message.isOn;
        return;
      case "mute":
        return this.#capture.mute(message.isMuted);
      case "clear":
        return this.#playback.clear();
      case "microphone":
        return this.#capture.restart();
      case "read":
        this.#isStatusUnread = false;
        return;
      case "close":
        this.#connect(undefined);
        this.#isOpen = false;
    }
  }

  #connect(port: MessagePort | undefined): void {
    this.#audio?.close();
    this.#playback.clear();
    this.#audio = port;
    this.#ahead = 0;
    if (port === undefined) return;
    port.onmessage = ({ data }: MessageEvent<ToSpeaker>) => {
      if (typeof data === "number") this.#ahead -= data;
      else {
        const missedMs = this.#playback.push(data);
        if (missedMs > 0 && this.#underruns.length < MAX_BLOCKS_AHEAD) {
          this.#underruns.push(missedMs);
        }
      }
    };
  }

  #emit(block: FromMicrophone): void {
    if (this.#audio === undefined || !this.#isSending) return;
    if (this.#ahead >= MAX_BLOCKS_AHEAD) {
      this.#dropped++;
      return;
    }
    this.#ahead++;
    this.#captured++;
    this.#audio.postMessage(block, [block.buffer]);
  }

  #report(length: number): void {
    this.#sinceStatus += length;
    if (this.#isStatusUnread || this.#sinceStatus < STATUS_SECONDS * sampleRate) return;
    this.#sinceStatus = 0;
    this.#isStatusUnread = true;
    const { zeroMs, absentMs } = this.#capture.stats();
    const status: ProcessorStatus = {
      input: this.#input.level,
      output: this.#output.level,
      zeroMs,
      absentMs,
      captured: this.#captured,
      dropped: this.#dropped,
      playback: this.#playback.stats(),
      underruns: this.#underruns,
    };
    this.#underruns = [];
    this.port.postMessage(status satisfies FromProcessor);
  }
}

// Anywhere else than in a worklet, for example where a server renders the page, the module does nothing.
scope.registerProcessor?.(processorName, VoiceProcessor);
