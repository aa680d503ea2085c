/**
 * What phone numbers, SIP URIs and call ids look like, for both ends of the wire.
 *
 * @module
 */

// ITU-T E.164, clause 6: a country code of 1 to 3 digits that does not begin with 0, then the national number, 15 digits at the most.
// The recommendation sets no minimum, so that one digit after the country code is enough. The plus sign is that of E.123.
const E164 = /^\+[1-9][0-9]{1,14}$/;

// RFC 3261 section 25.1: scheme (in either case), user, host (a name, an IPv4 address or an IPv6 reference), port, parameters.
// Left out: a password, which section 19.1.1 advises against, and headers, which could add fields to the request that is sent.
const SIP_URI =
  /^sips?:[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,128}@(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:;[A-Za-z0-9\-_.!~*'()%=]{1,128}){0,8}$/i;

// Ids that a gateway chooses are UUIDs (version 4); ids that a client chooses may be any text that is safe in a URL, a file's name
// and a log.
const CALL_SID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Whether text is a phone number in E.164 form: `+`, then 2 to 15 digits, the first one not 0. */
export function isE164(text: string): boolean {
  return E164.test(text);
}

/** Whether text is a SIP or SIPS URI with a user and a host, and without a password or headers (RFC 3261 section 19.1). */
export function isSipUri(text: string): boolean {
  return SIP_URI.test(text);
}

/** Whether text is something that can be called: a phone number in E.164 form or a SIP URI. */
export function isDestination(text: string): boolean {
  return isE164(text) || isSipUri(text);
}

/** Whether text can be the id of a call: 1 to 128 of `A-Z`, `a-z`, `0-9` and `._:-`, the first a letter or a digit. */
export function isCallSid(text: string): boolean {
  return CALL_SID.test(text);
}
