/**
 * The phone's line: the page's own client and audio, from "on" to the end of a call.
 *
 * @module
 */

import type { BrowserAudio } from "../../browser/mod.ts";
import type { Call, TeleQuickClient } from "../../client/mod.ts";
import { systemClock } from "../../base/signal.ts";
import { post } from "./api.ts";
import { stateOf } from "./format.ts";
import { store } from "./store.ts";
import { playRinging } from "./ringing.ts";

/** Where the phone stands. */
export type LineState = "off" | "starting" | "on" | "ringing" | "answering" | "talking";

interface InboundReply {
  /** The status that the caller's side got. */
  readonly sipStatus: number;
  /** The call's id on the phone's tenant; empty when the trunk refused it. */
  readonly phoneCallSid: string;
}

// Levels are shown so often.
const LEVEL_MS = 100;
// The event types of the wire: EventType in the client's module, which is loaded when it is needed.
const CHANNEL_HANGUP_COMPLETE = 3;
/** Call rejected (ITU-T Q.850): how a call is declined. */
export const CALL_REJECTED = 21;

/** The phone, without its looks. */
export class Line {
  state: LineState = "off";
  /** Why it is not as it should be, or how the last call ended. */
  note = "";
  /** Whether the microphone was not to be had. */
  isMicrophoneMissing = false;
  isMuted = false;
  /** The id of the call that rings or is talked on. */
  callSid = "";
  level: { readonly input: number; readonly output: number } = { input: 0, output: 0 };
  readonly #onChange: () => void;
  #audio: BrowserAudio | undefined;
  #client: TeleQuickClient | undefined;
  #call: Call | undefined;
  #stopRinging: () => void = () => {};

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    store.listen(() => {
      const call = store.phoneCall(this.callSid);
      const isOver = call?.state === "ended";
      // Another page can have answered, or the caller given up.
      if (this.state === "ringing") {
        if (isOver || call?.state === "answered") this.#waitOn("Not answered here");
      } else if (isOver && this.state === "talking") {
        // The client does not hear of it when its session was lost at that moment.
        this.#hungUp(this.#call, `Call ended: ${stateOf(call)}`);
      }
    });
  }

  /** Opens the audio and signs in. Called in a click. */
  async turnOn(hasMicrophone = true): Promise<void> {
    if (this.state !== "off") return;
    this.#set("starting", "");
    this.isMicrophoneMissing = false;
    try {
      const { endpoint, certificateHashes } = await store.ready;
      const [{ TeleQuickClient }, { openAudio }] = await Promise.all([
        import("../../client/mod.ts"),
        import("../../browser/mod.ts"),
      ]);
      const audio = this.#audio = await openAudio({
        workletUrl: "/esm/browser/worklet.js",
        ...(!hasMicrophone && { microphone: false }),
      });
      const fetchToken = async (): Promise<string> =>
        (await post<{ readonly token: string }>("token", {})).token;
      const client = this.#client = new TeleQuickClient(endpoint, fetchToken, true, {
        serverCertificateHashes: certificateHashes,
        clock: audio.clock,
      });
      await client.connect();
      void this.#follow(client);
      this.#waitOn("");
    } catch (error) {
      const { code = "", message } = error as Error & { readonly code?: string };
      this.isMicrophoneMissing = ["ERR_MICROPHONE_DENIED", "ERR_MICROPHONE_UNAVAILABLE"].includes(
        code,
      );
      await this.turnOff(message);
    }
  }

  /** Closes everything; a call is hung up. */
  async turnOff(note = ""): Promise<void> {
    this.#stopRinging();
    const [audio, client, call] = [this.#audio, this.#client, this.#call];
    this.#audio = this.#client = this.#call = undefined;
    this.#set("off", note);
    await call?.hangUp().catch(() => {});
    await client?.close();
    await audio?.close();
  }

  /** Answers the call that rings. */
  async answer(): Promise<void> {
    if (this.state !== "ringing") return;
    this.#stopRinging();
    this.#set("answering", "");
    await this.#talk(this.callSid);
  }

  /** Lets a call come in on a trunk, of which this page is the caller. */
  async callIn(tenantId: string, trunkId: string): Promise<void> {
    if (this.state !== "on") return;
    this.#set("answering", "Calling your agent");
    try {
      const { phoneCallSid, sipStatus } = await post<InboundReply>("inbound", {
        tenantId,
        trunkId,
      });
      if (phoneCallSid === "") {
        return this.#waitOn(`Trunk ${trunkId} refused the call: SIP ${sipStatus}`);
      }
      this.callSid = phoneCallSid;
      await this.#talk(phoneCallSid);
    } catch (error) {
      this.#waitOn((error as Error).message);
    }
  }

  async #talk(callSid: string): Promise<void> {
    const [audio, client] = [this.#audio, this.#client];
    if (audio === undefined || client === undefined) return;
    let call: Call | undefined;
    try {
      // Where the browser held the sound back, this click starts it.
      if (audio.state !== "running") await audio.resume();
      call = this.#call = await client.answerIncomingCall({ callSid });
      audio.connect(call);
      this.#set("talking", "");
      this.#showLevel(call);
      const { cause } = await call.ended;
      this.#hungUp(call, `Call ended: ${cause}`);
    } catch (error) {
      this.#hungUp(call, (error as Error).message);
    }
  }

  async decline(): Promise<void> {
    if (this.state !== "ringing") return;
    const { callSid } = this;
    this.#silence("Declined");
    const tenantId = store.state?.phone.tenantId;
    // Until the gateway has ended it, it waits as others do.
    await post("hangup", { tenantId, callSid, cause: CALL_REJECTED })
      .then(() => this.#ringWaiting(), (error) => this.#set(this.state, error.message));
  }

  async hangUp(): Promise<void> {
    await this.#call?.hangUp().catch((error) => this.#set(this.state, error.message));
  }

  async toggleMute(): Promise<void> {
    await this.#audio?.setMuted(!this.isMuted);
    this.isMuted = this.#audio?.muted ?? false;
    this.#onChange();
  }

  press(digit: string): void {
    this.#call?.sendDtmf(digit).catch((error) => this.#set(this.state, error.message));
  }

  async #follow(client: TeleQuickClient): Promise<void> {
    try {
      for await (const { callSid, eventType, status } of client.events()) {
        if (status === "RINGING") this.#ring(callSid);
        const isOver = eventType === CHANNEL_HANGUP_COMPLETE && callSid === this.callSid;
        if (isOver && this.state === "ringing") this.#waitOn("Missed: the caller gave up");
      }
    } catch (error) {
      if (client === this.#client) await this.turnOff((error as Error).message);
    }
  }

  #ring(callSid: string): void {
    if (this.state !== "on" || this.#audio === undefined) return;
    this.callSid = callSid;
    this.#stopRinging = playRinging(this.#audio.context);
    this.#set("ringing", "");
  }

  #silence(note: string): void {
    this.#stopRinging();
    this.callSid = "";
    this.#set("on", note);
  }

  /** Waits for the next call, which can ring already. */
  #waitOn(note: string): void {
    if (this.#client === undefined) return;
    this.#silence(note);
    void this.#ringWaiting();
  }

  async #ringWaiting(): Promise<void> {
    const client = this.#client;
    // The phone can be turned off meanwhile, and on again.
    const isCurrent = (): boolean => client === this.#client;
    try {
      const [waiting] = await client?.getIncomingCalls(store.state!.phone.trunkId) ?? [];
      if (isCurrent() && waiting !== undefined) this.#ring(waiting.callSid);
    } catch (error) {
      if (isCurrent()) this.#set(this.state, (error as Error).message);
    }
  }

  #hungUp(call: Call | undefined, note: string): void {
    if (call !== this.#call || this.state === "off") return;
    this.#call = undefined;
    if (this.isMuted) void this.toggleMute();
    this.#waitOn(note);
  }

  #showLevel(call: Call): void {
    if (call !== this.#call || this.#audio === undefined) return;
    this.level = this.#audio.level();
    this.#onChange();
    systemClock.schedule(LEVEL_MS, () => this.#showLevel(call));
  }

  #set(state: LineState, note: string): void {
    this.state = state;
    this.note = note;
    this.#onChange();
  }
}
