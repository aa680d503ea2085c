/**
 * Programs that play sound.
 *
 * @module
 */

import type { Platform } from "../platform.ts";
import { UsageError } from "../usage.ts";

/** A player and how it is started: it reads 16-bit samples, one channel, from its input. */
export interface Player {
  readonly program: string;
  readonly args: readonly string[];
}

const PLAYERS: Readonly<Record<string, (rate: string) => readonly string[]>> = {
  play: (rate) => [..."-q -t raw -e signed -b 16 -c 1 -r".split(" "), rate, "-"],
  aplay: (rate) => [..."-q -t raw -f S16_LE -c 1 -r".split(" "), rate],
  ffplay: (rate) => [
    ..."-nodisp -autoexit -loglevel error -f s16le -sample_rate".split(" "),
    ...[rate, "-i", "-"],
  ],
};

/** The first player that is on PATH. Throws a {@linkcode UsageError} that names what to install. */
export async function findPlayer(
  platform: Pick<Platform, "findProgram">,
  sampleRate: number,
): Promise<Player> {
  for (const [name, argsFor] of Object.entries(PLAYERS)) {
    const program = await platform.findProgram(name);
    if (program !== undefined) return { program, args: argsFor(`${sampleRate}`) };
  }
  throw new UsageError(
    "Cannot play what is heard: no player was found on PATH, expected play, aplay or ffplay (install sox, alsa-utils or ffmpeg)",
  );
}
