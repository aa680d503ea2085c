import { match, ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { audioUnavailable, microphoneFault } from "../../../src/browser/faults.ts";
import { checkPage } from "../../../src/browser/graph.ts";
import { openAudio } from "../../../src/browser/mod.ts";
import { checkOptions, type OpenAudioOptions } from "../../../src/browser/options.ts";
import { FakeContext, FakePage, FakeTrack } from "./support/fake_page.ts";

Deno.test("checkOptions() names what is wrong", () => {
  const ended = new FakeTrack("own");
  ended.stop();
  const closed = new FakeContext(new FakePage(), 48_000);
  closed.state = "closed";
  const wrong: [unknown, RegExp][] = [
    [null, /options is null, expected an object/],
    [{ microphone: true }, /microphone is boolean, expected an object/],
    [
      { microphone: { deviceId: "" } },
      /microphone.deviceId is string, expected a non-empty string/,
    ],
    [{ microphone: { echoCancellation: 1 } }, /echoCancellation is number, expected a boolean/],
    [{ microphone: ended }, /a track of kind audio that is ended, expected a live track/],
    [{ speaker: "loud" }, /speaker is string, expected an object/],
    [{ speaker: { volume: 2 } }, /volume is 2, expected 0 to 1/],
    [{ slackMs: 1 }, /slackMs is 1, expected 5 to 120/],
    [{ slackMs: NaN }, /slackMs is NaN, expected 5 to 120/],
    [{ slackMs: "30" }, /slackMs is string, expected a number/],
    [{ workletUrl: "" }, /workletUrl is string, expected a non-empty string/],
    [{ context: closed }, /the context was closed: pass one that is open, or none/],
    [{ context: new FakeContext(new FakePage(), 96_000) }, /context.sampleRate is 96000/],
  ];
  for (const [options, message] of wrong) {
    throws(() => checkOptions(options as OpenAudioOptions), { message });
  }
  checkOptions({ microphone: new FakeTrack("own"), workletUrl: new URL("https://a.example/") });
});

Deno.test("microphoneFault() gives each of the browser's errors its code and one thing to do", () => {
  const cases: [DOMException, string, RegExp][] = [
    [
      new DOMException("Permission denied", "NotAllowedError"),
      "ERR_MICROPHONE_DENIED",
      /browser's settings of this site/,
    ],
    [
      new DOMException("Permission dismissed", "NotAllowedError"),
      "ERR_MICROPHONE_DENIED",
      /was dismissed: ask again in a click/,
    ],
    [
      new DOMException("Permission denied by system", "NotAllowedError"),
      "ERR_MICROPHONE_DENIED",
      /system's privacy settings/,
    ],
    [
      new DOMException("", "NotFoundError"),
      "ERR_MICROPHONE_UNAVAILABLE",
      /connect one, or pass microphone: false/,
    ],
    [
      new DOMException("", "OverconstrainedError"),
      "ERR_MICROPHONE_UNAVAILABLE",
      /no microphone has the id "x"/,
    ],
    [
      new DOMException("", "NotReadableError"),
      "ERR_MICROPHONE_UNAVAILABLE",
      /close the program that uses it/,
    ],
    [new DOMException("odd", "OddError"), "ERR_MICROPHONE_UNAVAILABLE", /odd/],
  ];
  for (const [error, code, message] of cases) {
    const fault = microphoneFault(error, "x");
    equal(fault.code, code);
    match(fault.message, message);
    equal(fault.cause, error);
  }
});

Deno.test("checkPage() says what the page has not", () => {
  const { globals } = new FakePage();
  checkPage(globals);
  throws(() => checkPage({ ...globals, isSecureContext: false }), /not a secure context/);
  throws(() => checkPage({ ...globals, AudioContext: undefined }), /Web Audio is missing/);
  throws(() => checkPage({ ...globals, AudioWorkletNode: undefined }), /no AudioWorklet/);
  ok(audioUnavailable("x").code === "ERR_AUDIO_UNAVAILABLE");
});

Deno.test("openAudio() outside of a page rejects, and so it does for a signal that is aborted", async () => {
  await rejects(openAudio(), { code: "ERR_AUDIO_UNAVAILABLE", message: /in a browser's page/ });
  await rejects(openAudio({ signal: AbortSignal.abort(new Error("given up")) }), /given up/);
});
