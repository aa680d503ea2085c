/**
 * `telequick keygen`.
 *
 * @module
 */

import { type GeneratedServiceAccount, generateServiceAccount } from "../../credentials/mod.ts";
import { checkNames } from "../account.ts";
import { type Command, command } from "../command.ts";
import type { Platform } from "../platform.ts";
import { quoteForShell, UsageError } from "../usage.ts";

/** Creates a service account. */
export const keygen: Command = command({
  details:
    "Writes the service-account file with the private key, readable only by you, and the public key for the gateway. " +
    "No key is printed.",
  options: {
    "tenant": { type: "text", value: "ID", help: "The tenant" },
    "key-id": {
      type: "text",
      value: "KID",
      help: "The id under which the public key is registered",
      byDefault: "its RFC 7638 thumbprint",
    },
    "out": {
      type: "text",
      value: "PATH",
      help: "The service-account file",
      byDefault: "service-account.json",
    },
    "public": {
      type: "text",
      value: "PATH",
      help: "The public key file",
      byDefault: "public-key.pem",
    },
    "force": { type: "flag", help: "Replace existing files" },
  },
  examples: [
    ["telequick keygen --tenant acme", "both files in this folder"],
    ["telequick keygen --tenant acme --key-id 2026-11", "with an id of your choice"],
  ],
  async run({ values, output, platform }) {
    const { tenant, force } = values;
    const out = platform.absolute(values.out ?? "service-account.json");
    const publicPath = platform.absolute(values.public ?? "public-key.pem");
    if (tenant === undefined) {
      throw new UsageError("Option --tenant is missing: the tenant of the key", {
        command: "keygen",
      });
    }
    checkNames(tenant, values["key-id"]);
    if (await platform.isSameFile(out, publicPath)) {
      throw new UsageError(
        "Options --out and --public name the same file, expected two files: the public key would replace the private key",
        { command: "keygen" },
      );
    }
    const generated = await generateServiceAccount({
      tenantId: tenant,
      ...(values["key-id"] !== undefined && { privateKeyId: values["key-id"] }),
    });
    await writeKeyFiles(generated, { path: out, publicPath, replace: force }, platform);
    const { privateKeyId } = generated.account;
    output.emit(
      { type: "key", tenantId: tenant, keyId: privateKeyId, path: out, publicPath },
      `Service account of tenant ${tenant}, key ${privateKeyId}\n` +
        `  ${out}  the private key, mode 600: keep it secret\n` +
        `  ${publicPath}  the public key: register it at the gateway under ${privateKeyId}`,
    );
    output.note(`Next: register the public key in the console, then
  export TELEQUICK_CREDENTIALS=${quoteForShell(out)}
  telequick doctor`);
    return 0;
  },
});

/** Writes both halves or none, the private one with mode 600. Files that are replaced stay until both new ones are in place. */
export async function writeKeyFiles(
  { json, publicKeyPem }: GeneratedServiceAccount,
  files: {
    readonly path: string;
    readonly publicPath: string;
    readonly replace: boolean;
    /** What to do when a file exists. Default: the advice of `keygen`. */
    readonly advice?: string;
  },
  platform: Platform,
): Promise<void> {
  const { path, publicPath, replace, advice = "choose another path; --force replaces it" } = files;
  for (const each of replace ? [] : [path, publicPath]) {
    if (await platform.exists(each)) {
      throw new UsageError(
        `Cannot write ${JSON.stringify(each)}: it exists already (${advice})`,
      );
    }
  }
  await platform.writeFiles([
    { path, text: json, mode: 0o600 },
    { path: publicPath, text: publicKeyPem, mode: 0o644 },
  ], { replace });
}
