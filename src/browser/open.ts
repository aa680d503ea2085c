/**
 * Opens the page's audio.
 *
 * @module
 */

import { raceSignal, systemClock } from "../base/signal.ts";
import type { BrowserAudio } from "./browser_audio.ts";
import { checkPage } from "./graph.ts";
import { LiveAudio } from "./live_audio.ts";
import { checkOptions, type OpenAudioOptions } from "./options.ts";
import { thisPage } from "./page.ts";

/**
 * Opens the microphone and the loudspeaker. Call it in a click: browsers start sound in no other place, and `state` is
 * `"needs-gesture"` until `resume()` is called in one.
 *
 * Rejects with `ERR_MICROPHONE_DENIED` when the person, the browser or the system does not permit the microphone,
 * `ERR_MICROPHONE_UNAVAILABLE` when no microphone is connected, the id does not exist, or another program holds the device, and
 * `ERR_AUDIO_UNAVAILABLE` when the page is not a secure context, the browser has no AudioWorklet, or a Content Security Policy forbids
 * the worklet. Nothing stays open then: call it again with `microphone: false` to listen only.
 *
 * @example A voice in the page
 * ```ts no-run
 * import { TeleQuickClient } from "@telequick/sdk";
 * import { openAudio } from "@telequick/sdk/browser";
 *
 * const fetchToken = async () => await (await fetch("/telequick-token")).text();
 * const audio = await openAudio();
 * const client = new TeleQuickClient("https://engine.telequick.dev:9090", fetchToken, true, {
 *   clock: audio.clock,
 * });
 * audio.connect(await client.dial({ to: "+15550100", trunkId: "acme-trunk" }));
 * ```
 *
 * @param options See {@linkcode OpenAudioOptions}.
 */
export async function openAudio(options: OpenAudioOptions = {}): Promise<BrowserAudio> {
  checkOptions(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const page = thisPage();
  checkPage(page);
  const audio = new LiveAudio(page, options, systemClock);
  try {
    await raceSignal(audio.open(), signal);
    return audio;
  } catch (error) {
    await audio.close();
    throw error;
  }
}
