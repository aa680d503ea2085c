import { concatBytes } from "../../base/bytes.ts";
import { encodeFrame, frameType } from "./frames.ts";
import type { CloseInfo } from "../types.ts";

/** Types of capsules (draft-ietf-webtrans-http3-16 section 9.6). */
export const capsuleType = { closeSession: 0x2843, drainSession: 0x78ae } as const;

/** Longest reason of a close in bytes of UTF-8 (section 6 of the draft). */
export const LONGEST_REASON = 1_024;

/** A WT_CLOSE_SESSION capsule in a DATA frame, as capsules travel (RFC 9297 section 3.1). A longer reason is cut between two characters. */
export function encodeClose({ closeCode = 0, reason = "" }: CloseInfo): Uint8Array {
  const code = new Uint8Array(4);
  new DataView(code.buffer).setUint32(0, closeCode);
  const words = new Uint8Array(LONGEST_REASON);
  const { written } = new TextEncoder().encodeInto(reason, words);
  const payload = concatBytes([code, words.subarray(0, written)]);
  return encodeFrame(frameType.data, encodeFrame(capsuleType.closeSession, payload));
}

/** A WT_DRAIN_SESSION capsule in a DATA frame (section 4.7 of the draft). */
export function encodeDrain(): Uint8Array {
  return encodeFrame(frameType.data, encodeFrame(capsuleType.drainSession, new Uint8Array(0)));
}

/** Reads the payload of a WT_CLOSE_SESSION capsule; `undefined` when it is malformed: too short, too long, or not UTF-8. */
export function decodeClose(payload: Uint8Array): CloseInfo | undefined {
  if (payload.length < 4 || payload.length > 4 + LONGEST_REASON) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  try {
    const reason = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(payload.subarray(4));
    return { closeCode: view.getUint32(0), reason };
  } catch {
    return undefined;
  }
}
