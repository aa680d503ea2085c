/**
 * The service account of a command.
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

/** The path of the service account: from the option, else from the environment; `undefined` when neither is set. */
export function accountPath(
  { values, platform }: {
    readonly values: { readonly credentials: string | undefined };
    readonly platform: Pick<Platform, "variable">;
  },
): string | undefined {
  const path = values.credentials ?? platform.variable("TELEQUICK_CREDENTIALS");
  if (path === undefined || !isContent(path)) return path;
  throw new UsageError(
    "Cannot load service account: the path is a token, a key or the text of a file, expected the path of the file",
  );
}

/** Reads the service account; warns when other users of the machine can read it too. */
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

/** Refuses names that a gateway would refuse, before a file is rolled out. */
export function checkNames(tenantId: string, keyId: string | undefined): void {
  if (!TENANT_ID.test(tenantId)) {
    throw new UsageError(
      `Cannot create key: tenant is ${
        JSON.stringify(tenantId.slice(0, 64))
      }, expected 1 to 63 of a-z, 0-9 and inner hyphens`,
    );
  }
  checkKeyId(keyId, "create key");
}

/** Refuses a key id that a gateway would refuse. */
export function checkKeyId(keyId: string | undefined, action: string): void {
  if (keyId === undefined || KEY_ID.test(keyId)) return;
  throw new UsageError(
    `Cannot ${action}: key id is ${
      JSON.stringify(keyId.slice(0, 64))
    }, expected 1 to 128 of A-Z, a-z, 0-9, dot, _ and -`,
  );
}
