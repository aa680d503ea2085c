/**
 * The devices there are, and the loudspeaker among them.
 *
 * @module
 */

import { audioUnavailable, nameOf } from "./faults.ts";
import type { AudioContextLike, DeviceInfoLike, Page } from "./page.ts";

/** A microphone or a loudspeaker. */
export interface Device {
  /** Its id, the same on this page until the person clears the site's data. */
  readonly id: string;
  /** Its name; empty until the page has used a microphone. */
  readonly label: string;
}

/** The devices there are. Both lists are empty until the page has used a microphone. */
export interface Devices {
  /** Microphones. */
  readonly microphones: readonly Device[];
  /** Loudspeakers; empty in browsers that do not let a page choose one. */
  readonly speakers: readonly Device[];
}

/** Lists the devices. */
export async function listDevices({ navigator }: Page): Promise<Devices> {
  const all = await navigator?.mediaDevices?.enumerateDevices() ?? [];
  return { microphones: ofKind(all, "audioinput"), speakers: ofKind(all, "audiooutput") };
}

function ofKind(all: readonly DeviceInfoLike[], wanted: string): Device[] {
  return all.filter(({ kind, deviceId }) => kind === wanted && deviceId !== "")
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/** Plays on another loudspeaker: the one with an id, or the browser's default. */
export async function setSink(
  context: AudioContextLike,
  deviceId: string | undefined,
): Promise<void> {
  if (context.setSinkId === undefined) {
    if (deviceId === undefined) return;
    throw audioUnavailable(
      "this browser does not let a page choose the loudspeaker: leave its id out",
    );
  }
  try {
    await context.setSinkId(deviceId ?? "");
  } catch (error) {
    const id = JSON.stringify(deviceId);
    throw audioUnavailable(
      nameOf(error) === "NotFoundError"
        ? `no loudspeaker has the id ${id}: choose one that devices() lists`
        : `the loudspeaker ${id} could not be used: choose another one`,
      error,
    );
  }
}
