/**
 * Recordings of all calls, in one folder.
 *
 * @module
 */

import { messageOf } from "../../base/text/message.ts";
import type { Clock } from "../../base/signal.ts";
import { Recording, type StartRecording } from "../call/recording.ts";
import type { Log } from "../log.ts";
import { recordingFile } from "./directory.ts";

/** Records every call into a folder. A folder that cannot be written costs the recording, and never the call. */
export function recordInto(
  folder: string | undefined,
  clock: Clock,
  log: Log,
): StartRecording | undefined {
  if (folder === undefined) return undefined;
  return ({ tenantId, callSid }) => {
    const onFailed = (error: unknown): void => {
      log("recording.failed", { tenantId, callSid, reason: messageOf(error) });
    };
    try {
      // Both are of letters, digits and `._:-`; the comma keeps one tenant's files apart from another's.
      const file = recordingFile(folder, `${tenantId},${callSid.replaceAll(":", "=")}`);
      return new Recording({ clock, file, onFailed });
    } catch (error) {
      onFailed(error);
      return undefined;
    }
  };
}
