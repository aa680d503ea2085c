/**
 * What stands at the far end of calls: numbers that ring for a person, and scripts from a file.
 *
 * @module
 */

import { type ChooseFarEnd, type GatewayPhones, parsePhoneScripts } from "../../gateway/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { isDestination } from "../../wire/mod.ts";
import type { Platform } from "../platform.ts";
import { quotePath, UsageError } from "../usage.ts";

/** The number that rings for a person where no other is named. */
export const PHONE_NUMBER = "+15550120";

// 10 minutes at 48 kHz in two channels, and what a file has besides.
const LARGEST_WAV_BYTES = 10 * 60 * 48_000 * 2 * 2 + 1024 * 1024;

/** The numbers of `--phone`. */
export function readPhones(numbers: readonly string[]): readonly string[] {
  for (const number of numbers) {
    if (isDestination(number)) continue;
    const shown = JSON.stringify(number.slice(0, 48));
    throw new UsageError(
      `Option --phone is ${shown}, expected a phone number such as ${PHONE_NUMBER} or a SIP URI`,
    );
  }
  return numbers.length === 0 ? [PHONE_NUMBER] : numbers;
}

/** Refuses the tenant on which the numbers of `--phone` ring: calls of every tenant come in there. */
export function checkIsNotPhones(
  tenantId: string,
  phones: Pick<GatewayPhones, "tenantId">,
): void {
  if (tenantId !== phones.tenantId) return;
  throw new UsageError(
    `Cannot start gateway: the tenant is ${tenantId}, on which the panel's phone rings (choose another: --tenant ID)`,
  );
}

/** The scripts of `--script`. Files that they play are named from the script's own folder. */
export async function readScripts(path: string, platform: Platform): Promise<ChooseFarEnd> {
  const text = await platform.readText(path);
  const folder = path.replace(/[^/\\]*$/, "");
  const isAbsolute = (file: string): boolean => platform.absolute(file) === file;
  try {
    const { farEnd } = await parsePhoneScripts(text, {
      readFile: (file) =>
        platform.readBytes(
          isAbsolute(file) ? file : platform.join(folder, file),
          LARGEST_WAV_BYTES,
        ),
    });
    return farEnd;
  } catch (error) {
    if (!(error instanceof TeleQuickError)) throw error;
    const found = error.message.replace(/^Cannot read phone scripts: /, "");
    throw new UsageError(`Cannot read script ${quotePath(path)}: ${found}`);
  }
}
