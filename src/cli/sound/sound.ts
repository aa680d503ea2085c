/**
 * The sound of a call on the command line: a WAV file that is played to the far end, and what is heard, into a file or a player.
 *
 * @module
 */

import { pcm16Bytes, readWav, Resampler } from "../../audio/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import { type Clock, raceSignal } from "../../base/signal.ts";
import type { AudioLink, Call } from "../../client/mod.ts";
import type { FedProgram, Platform } from "../platform.ts";
import type { OptionSpecs, OptionValues } from "../terminal/args.ts";
import type { Output } from "../terminal/output.ts";
import { quotePath, UsageError } from "../usage.ts";
import { findPlayer } from "./player.ts";
import { SoundFile } from "./sound_file.ts";

/** Options of commands with a call that has sound. */
export const SOUND_OPTIONS = {
  "play": {
    type: "text",
    value: "FILE",
    help: "Play a WAV file to the far end: 16-bit PCM, 8 to 48 kHz, mono or stereo",
  },
  "record": {
    type: "text",
    value: "FILE",
    help: "Write what is heard to a new WAV file, 16-bit PCM at 8 kHz",
  },
  "listen": { type: "flag", help: "Play what is heard: needs play (sox), aplay or ffplay" },
} as const satisfies OptionSpecs;

/** The rate of calls, in hertz: files are resampled to it. */
export const CALL_RATE = 8_000;

// Hours of speech; the samples are held in memory.
const LARGEST_FILE = 256 * 1_048_576;
// Frames that come late or out of order are still heard.
const JITTER_BUFFER_MS = 60;

/** Sound that is ready before a call is placed. */
export interface PreparedSound {
  /** Whether anything of it needs the call's audio. */
  readonly isWanted: boolean;
  /** Samples to play, at {@linkcode CALL_RATE}; `undefined` for none. */
  readonly samples: Int16Array | undefined;
  readonly playPath: string | undefined;
  /** Opens what takes the far end's sound. */
  open(clock: Clock): Promise<Listeners>;
}

/** What takes the far end's sound. */
export interface Listeners {
  /** Takes samples as they are heard. */
  hear(samples: Int16Array): Promise<void>;
  /** Ends it, and reports the recording. */
  close(output: Output): Promise<void>;
}

/** Reads the file that is to be played, and looks for a player, before a call is placed. Throws what exits with 2. */
export async function prepareSound(
  { play, record, listen }: OptionValues<typeof SOUND_OPTIONS>,
  platform: Platform,
): Promise<PreparedSound> {
  const samples = play === undefined ? undefined : await samplesOf(play, platform);
  const player = listen ? await findPlayer(platform, CALL_RATE) : undefined;
  if (record !== undefined && await platform.exists(record)) {
    throw new UsageError(
      `Cannot write ${quotePath(record)}: it exists already (choose another path)`,
    );
  }
  return {
    isWanted: play !== undefined || record !== undefined || listen,
    samples,
    playPath: play,
    async open(clock) {
      const path = record === undefined ? undefined : platform.absolute(record);
      const file = path === undefined
        ? undefined
        : await SoundFile.create(await platform.createFile(path), { clock, sampleRate: CALL_RATE });
      const fed: FedProgram | undefined = player === undefined
        ? undefined
        : platform.feed(player.program, player.args);
      return {
        async hear(heard) {
          fed?.write(pcm16Bytes(heard).slice());
          await file?.add(heard);
        },
        async close(output) {
          await fed?.end();
          if (file === undefined) return;
          const seconds = await file.close();
          output.emit(
            { type: "recorded", path, seconds },
            `Recorded ${seconds.toFixed(1)} s: ${path}`,
          );
        },
      };
    },
  };
}

/** Options of {@linkcode runSound}. */
export interface RunSoundOptions {
  readonly clock: Clock;
  readonly output: Output;
  /** Ends the playback; what was heard by then is kept. */
  readonly signal: AbortSignal;
  /** Whether what is heard is sent back. */
  readonly isEcho?: boolean;
}

/** The sound of an answered call. */
export interface RunningSound {
  /** Resolves when the file has been played to its end, or the call has ended. Rejects when the signal aborts. */
  readonly played: Promise<void>;
  /** Resolves when everything that was heard until the call's end has been written. */
  readonly done: Promise<void>;
}

/** Plays and listens from now on, until the call ends. */
export async function runSound(
  call: Call,
  sound: PreparedSound,
  options: RunSoundOptions,
): Promise<RunningSound> {
  const { clock, output, signal, isEcho = false } = options;
  const listeners = await sound.open(clock);
  const link = call.audio({
    ...{ codec: "PCMU", sampleRate: CALL_RATE, source: isEcho ? "live" : "speech" },
    ...(!isEcho && { jitterBufferMs: JITTER_BUFFER_MS }),
  });
  const done = listen(link, listeners, isEcho).finally(() => listeners.close(output));
  done.catch(ignore);
  const played = raceSignal(play(link, sound, output), signal);
  played.catch(ignore);
  return { played, done };
}

async function play(
  link: AudioLink,
  { samples, playPath }: PreparedSound,
  output: Output,
): Promise<void> {
  if (samples === undefined) return;
  const { playedMs } = await link.play(samples).finished;
  const seconds = playedMs / 1_000;
  output.emit(
    { type: "played", path: playPath, seconds },
    `Played ${seconds.toFixed(1)} s of ${playPath}`,
  );
}

async function listen(link: AudioLink, listeners: Listeners, isEcho: boolean): Promise<void> {
  const writer = isEcho ? link.writable.getWriter() : undefined;
  for await (const samples of link.samples) {
    // Not waited for: a live source drops what is late.
    writer?.write(samples).catch(ignore);
    await listeners.hear(samples);
  }
}

async function samplesOf(path: string, platform: Platform): Promise<Int16Array> {
  const bytes = await platform.readBytes(path, LARGEST_FILE);
  try {
    const { samples, sampleRate } = readWav(bytes);
    if (sampleRate === CALL_RATE) return samples;
    const resampler = new Resampler({ inputRate: sampleRate, outputRate: CALL_RATE });
    const [most, rest] = [resampler.push(samples), resampler.flush()];
    const all = new Int16Array(most.length + rest.length);
    all.set(most);
    all.set(rest, most.length);
    return all;
  } catch (error) {
    if (!(error instanceof TeleQuickError)) throw error;
    throw new UsageError(error.message.replace("WAV file:", `WAV file ${quotePath(path)}:`));
  }
}
