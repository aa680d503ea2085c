/**
 * A phone at the far end that follows a script.
 *
 * @module
 */

import { checkPhoneScript, type ChooseFarEnd, type PhoneScript } from "../gateway/mod.ts";

/**
 * Makes the far end of every call follow a script. It is checked at once: a step that no phone can follow is named in the error.
 *
 * @param script The steps, one after the other; after the last one the phone stays on the line and listens.
 * @returns What the option `farEnd` of `testGateway()` and `createGateway()` takes.
 * @throws `ERR_VALUE_INVALID` for a script that cannot be followed.
 *
 * @example A person who interrupts after 3.2 s, presses 1 and hangs up
 * ```ts
 * import { scriptedPhone, testGateway } from "@telequick/sdk/testing";
 *
 * const farEnd = scriptedPhone([
 *   { type: "ring", ms: 500 },
 *   { type: "answer" },
 *   { type: "wait", ms: 3_200 },
 *   { type: "talk", ms: 800 },
 *   { type: "press", digits: "1" },
 *   { type: "hangUp" },
 * ]);
 * const kit = await testGateway({ clock: "fake", farEnd });
 * await kit.close();
 * ```
 */
export function scriptedPhone(script: PhoneScript): ChooseFarEnd {
  checkPhoneScript(script);
  return () => script;
}
