/**
 * The table of transitions between the states of a client's sessions: every state, every event.
 *
 * @module
 */

import type { Effect, EventName, StateName, Transition } from "./states.ts";

const to = (state: StateName, ...effects: Effect[]): Transition => ({ to: state, effects });
const never = (reason: string): Transition => ({ unreachable: reason });

const noSession = never("no session is in use that could be lost or replaced");
const replaced = never("the session in use is being replaced already");
const notDialling = never("no session is being opened");
const noPause = never("nothing waits for a pause to end");
const END = to("closed", "end");
const ENDED = to("closed", "note-loss", "end");

/** The table: every state, every event. */
export const transitions: Readonly<Record<StateName, Readonly<Record<EventName, Transition>>>> = {
  "idle": {
    "wanted": to("connecting", "report-connecting", "dial"),
    "renew": to("connecting", "report-connecting", "dial"),
    "defer": noSession,
    "due": noPause,
    "opened": notDialling,
    "failed": notDialling,
    "gave-up": notDialling,
    "lost": noSession,
    "ended": noSession,
    "close": END,
  },
  "connecting": {
    "wanted": to("connecting"),
    "renew": to("connecting"),
    "defer": noSession,
    "due": noPause,
    "opened": to("open", "promote"),
    // A first session that cannot be opened is its caller's to try again.
    "failed": to("idle", "report-idle", "reject-waiting"),
    "gave-up": to("idle", "report-idle", "reject-waiting"),
    "lost": noSession,
    "ended": noSession,
    "close": END,
  },
  "open": {
    "wanted": to("open"),
    "renew": to("renewing", "report-renewing", "dial"),
    "defer": to("open-deferred", "pause-deferred"),
    "due": noPause,
    "opened": notDialling,
    "failed": notDialling,
    "gave-up": notDialling,
    "lost": to("reconnecting-paused", "note-loss", "pause-reconnect"),
    "ended": ENDED,
    "close": END,
  },
  "open-deferred": {
    "wanted": to("open-deferred"),
    "renew": to("renewing", "report-renewing", "dial"),
    "defer": replaced,
    "due": to("renewing", "report-renewing", "dial"),
    "opened": notDialling,
    "failed": notDialling,
    "gave-up": notDialling,
    "lost": to("reconnecting-paused", "note-loss", "pause-reconnect"),
    "ended": ENDED,
    "close": END,
  },
  "renewing": {
    "wanted": to("renewing"),
    "renew": to("renewing"),
    "defer": replaced,
    "due": noPause,
    "opened": to("open", "promote"),
    // While the session in use works nothing is given up: it carries everything.
    "failed": to("renewing-paused", "pause-renewal"),
    "gave-up": to("renewing-paused", "pause-renewal"),
    // The attempt under way becomes the first attempt to come back.
    "lost": to("reconnecting", "note-loss", "report-lost"),
    "ended": ENDED,
    "close": END,
  },
  "renewing-paused": {
    "wanted": to("renewing-paused"),
    "renew": to("renewing-paused"),
    "defer": replaced,
    "due": to("renewing", "dial"),
    "opened": notDialling,
    "failed": notDialling,
    "gave-up": notDialling,
    "lost": to("reconnecting-paused", "note-loss", "pause-reconnect"),
    "ended": ENDED,
    "close": END,
  },
  "reconnecting": {
    "wanted": to("reconnecting"),
    "renew": to("reconnecting"),
    "defer": noSession,
    "due": noPause,
    "opened": to("open", "promote"),
    "failed": to("reconnecting-paused", "pause-reconnect"),
    "gave-up": END,
    "lost": noSession,
    "ended": noSession,
    "close": END,
  },
  "reconnecting-paused": {
    "wanted": to("reconnecting-paused"),
    "renew": to("reconnecting-paused"),
    "defer": noSession,
    "due": to("reconnecting", "dial"),
    "opened": notDialling,
    "failed": notDialling,
    "gave-up": notDialling,
    "lost": noSession,
    "ended": noSession,
    "close": END,
  },
  "closed": {
    "wanted": to("closed"),
    "renew": to("closed"),
    "defer": to("closed"),
    "due": never("the end cancels the pause"),
    // The attempt that the end has aborted settles after it.
    "opened": to("closed", "discard"),
    "failed": to("closed"),
    "gave-up": to("closed"),
    "lost": to("closed"),
    "ended": to("closed"),
    "close": to("closed"),
  },
};
