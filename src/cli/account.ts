/**
 * The service account that a command works with.
 *
 * @module
 */

import {
  importSigner,
  loadServiceAccount,
  type ServiceAccount,
  type Signer,
} from "../credentials/mod.ts";
import type { OptionSpecs } from "./args.ts";
import type { Output } from "./output.ts";
import type { Platform } from "./platform.ts";
import { isContent, UsageError } from "./usage.ts";

/** The option that names a service account. */
export const ACCOUNT_OPTIONS = {
  "credentials": {
    type: "text",
    value: "PATH",
    help: "The service-account file",
    byDefault: "TELEQUICK_CREDENTIALS",
  },
} as const satisfies OptionSpecs;

/** Where the service account is: what the option says, else the environment; `undefined` when neither does. */
export function accountPath(
  { values, platform }: {
    readonly values: { readonly credentials: string | undefined };
    readonly platform: Pick<Platform, "variable">;
  },
): string | undefined {
  const path = values.credentials ?? platform.variable("TELEQUICK_CREDENTIALS");
  if (path === undefined || !isContent(path)) return path;
  throw new UsageError(
    "Cannot load service account: what was given as its path is a token, a key or a file's content, expected where the file is",
  );
}

/** Reads the service account; warns when other users of the machine can, too. */
export async function loadAccount(
  path: string | undefined,
  output: Output,
): Promise<ServiceAccount> {
  return await loadServiceAccount(path, { onWarning: (message) => output.warn(message) });
}

/** Reads the service account and imports its key. */
export async function loadSigner(path: string | undefined, output: Output): Promise<Signer> {
  return await importSigner(await loadAccount(path, output));
}
