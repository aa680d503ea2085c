/** Error codes of HTTP/3 (RFC 9114 section 8.1) and of WebTransport over it (draft-ietf-webtrans-http3-16 section 9.5). */
export const http3Code = {
  noError: 0x100,
  streamCreationError: 0x103,
  closedCriticalStream: 0x104,
  frameUnexpected: 0x105,
  excessiveLoad: 0x107,
  idError: 0x108,
  settingsError: 0x109,
  missingSettings: 0x10a,
  messageError: 0x10e,
  requirementsNotMet: 0x212c0d48,
} as const;

/** Reports a connection error (RFC 9114 section 8): its code, and what was found. */
export type ConnectionErrorHandler = (code: number, reason: string) => void;

/** What a connection is closed with on which nothing went wrong (RFC 9114 section 5.2). */
export const nothingWrong = { closeCode: http3Code.noError, reason: "" } as const;

const FIRST_SESSION_CODE = 0x52e4a40fa8db;

/** Puts an application's code for a stream into the range that HTTP/3 keeps for WebTransport (draft-ietf-webtrans-http3-16 section 4.4). */
export function sessionCode(code: number): number {
  const shifted = code >>> 0;
  return FIRST_SESSION_CODE + shifted + Math.floor(shifted / 0x1e);
}
