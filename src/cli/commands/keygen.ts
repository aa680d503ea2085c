/**
 * `telequick keygen`.
 *
 * @module
 */

import { type GeneratedServiceAccount, generateServiceAccount } from "../../credentials/mod.ts";
import { checkNames } from "../account.ts";
import { type Command, command } from "../command.ts";
import type { Platform } from "../platform.ts";
import { UsageError } from "../usage.ts";

/** Makes a service account. */
export const keygen: Command = command({
  details:
    "Writes the service-account file, which holds the private key and which only you can read, and the public half for the gateway. " +
    "No key is ever printed.",
  options: {
    "tenant": { type: "text", value: "ID", help: "The tenant that it speaks for" },
    "key-id": {
      type: "text",
      value: "KID",
      help: "The id under which the public half is registered",
      byDefault: "its RFC 7638 thumbprint",
    },
    "out": {
      type: "text",
      value: "PATH",
      help: "Where the service-account file goes",
      byDefault: "service-account.json",
    },
    "public": {
      type: "text",
      value: "PATH",
      help: "Where the public half goes",
      byDefault: "public-key.pem",
    },
    "force": { type: "flag", help: "Replace files that are there" },
  },
  examples: [
    ["telequick keygen --tenant acme", "both files in this folder"],
    ["telequick keygen --tenant acme --key-id 2026-11", "with an id of one's own"],
  ],
  async run({ values, output, platform }) {
    const { tenant, force, out = "service-account.json", public: publicPath = "public-key.pem" } =
      values;
    if (tenant === undefined) {
      throw new UsageError("Option --tenant is missing: the tenant that the key speaks for", {
        command: "keygen",
      });
    }
    checkNames(tenant, values["key-id"]);
    if (platform.join(out) === platform.join(publicPath)) {
      throw new UsageError(
        "Options --out and --public name one file, expected two: the public half would replace the private key",
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
        `  ${out}  holds the private key, mode 600: keep it secret\n` +
        `  ${publicPath}  the public half: register it at the gateway under ${privateKeyId}`,
    );
    output.note(`Next: register the public half in the console, then
  export TELEQUICK_CREDENTIALS=${out}
  telequick doctor`);
    return 0;
  },
});

/** Writes both halves: the private one with mode 600. Removes the first file when the second cannot be written. */
export async function writeKeyFiles(
  { json, publicKeyPem }: GeneratedServiceAccount,
  files: {
    readonly path: string;
    readonly publicPath: string;
    readonly replace: boolean;
    /** What to do where one is there. Default: the advice of `keygen`. */
    readonly advice?: string;
  },
  platform: Platform,
): Promise<void> {
  const { path, publicPath, replace, advice = "choose another path; --force replaces it" } = files;
  for (const each of replace ? [] : [path, publicPath]) {
    if (await platform.exists(each)) {
      throw new UsageError(
        `Cannot write ${JSON.stringify(each)}: it is there already (${advice})`,
      );
    }
  }
  await platform.writeText(path, json, { mode: 0o600, replace });
  try {
    await platform.writeText(publicPath, publicKeyPem, { mode: 0o644, replace });
  } catch (error) {
    await platform.remove(path);
    throw error;
  }
}
