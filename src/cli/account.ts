/**
 * The service account that a command works with.
 *
 * @module
 */

import { KEY_ID, TENANT_ID } from "../token/mod.ts";
import {
  importSigner,
  loadServiceAccount,
  type ServiceAccount,
  type Signer,
} from "../credentials/mod.ts";
import type { OptionSpecs } from "./terminal/args.ts";
import type { Output } from "./terminal/output.ts";
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

/** Refuses what a gateway would refuse: better here than after a file was rolled out. */
export function checkNames(tenantId: string, keyId: string | undefined): void {
  if (!TENANT_ID.test(tenantId)) {
    throw new UsageError(
      `Cannot make key: tenant is ${
        JSON.stringify(tenantId.slice(0, 64))
      }, expected 1 to 63 of a-z, 0-9 and inner hyphens`,
    );
  }
  if (keyId !== undefined && !KEY_ID.test(keyId)) {
    throw new UsageError(
      `Cannot make key: key id is ${
        JSON.stringify(keyId.slice(0, 64))
      }, expected 1 to 128 of A-Z, a-z, 0-9, dot, _ and -`,
    );
  }
}
