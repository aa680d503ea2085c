/**
 * `telequick rotate`: the five steps of a key rotation, as far as a client can do them.
 *
 * @module
 */

import { TeleQuickClient } from "../../client/mod.ts";
import {
  generateServiceAccount,
  parseServiceAccount,
  type ServiceAccount,
} from "../../credentials/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { accountPath, loadAccount } from "../account.ts";
import { type Command, command, type Context } from "../command.ts";
import { formatInstant } from "../terminal/format.ts";
import { SESSION_OPTIONS, targetOf, timeLimits } from "../session.ts";
import { quoteForShell, UsageError } from "../usage.ts";
import { checkNames } from "../account.ts";
import { writeKeyFiles } from "./keygen.ts";

const KEY_ID_OPTION = {
  type: "text",
  value: "KID",
  help: "The id that the console assigned to the public key",
  byDefault: "the one in the file",
} as const;

const STEPS =
  "Steps: 1 create a key (rotate start), 2 register it (console), 3 roll it out (rotate swap), " +
  "4 wait an hour for old tokens, 5 revoke the old key (console, then rotate finish). " +
  "To practise with a gateway that telequick gateway started, telequick gateway register and telequick gateway revoke stand in " +
  "for the console, and step 4 can be left out: clients take the new key when the old one is revoked, and no call drops.";

// A token is valid for at most an hour: old tokens can be in use that long after the last host has the new file.
const LONGEST_TOKEN_MS = 3_600_000;

/** The files of a rotation, beside the current one. */
interface Files {
  readonly current: string;
  readonly next: string;
  readonly publicHalf: string;
  readonly previous: string;
}

type RotateContext = Pick<
  Context<typeof SESSION_OPTIONS>,
  "values" | "platform" | "output" | "clock" | "signal"
>;

function filesOf({ values, platform }: Pick<RotateContext, "values" | "platform">): Files {
  const path = accountPath({ values, platform });
  if (path === undefined) {
    throw new UsageError(
      "No service account: pass --credentials PATH or set TELEQUICK_CREDENTIALS",
    );
  }
  const current = platform.absolute(path);
  return {
    current,
    next: `${current}.next`,
    publicHalf: `${current}.next.pub.pem`,
    previous: `${current}.previous`,
  };
}

/** Step 1: the next key. */
export const rotateStart: Command = command({
  details: STEPS,
  options: {
    "credentials": SESSION_OPTIONS.credentials,
    "key-id": { ...KEY_ID_OPTION, help: "The next key's id", byDefault: "its RFC 7638 thumbprint" },
  },
  examples: [["telequick rotate start", "beside the file of TELEQUICK_CREDENTIALS"]],
  async run(context) {
    const { values, output, platform } = context;
    const files = filesOf(context as unknown as RotateContext);
    const current = await loadAccount(files.current, output);
    checkNames(current.tenantId, values["key-id"]);
    const generated = await generateServiceAccount({
      tenantId: current.tenantId,
      ...(values["key-id"] !== undefined && { privateKeyId: values["key-id"] }),
    });
    await writeKeyFiles(
      generated,
      {
        path: files.next,
        publicPath: files.publicHalf,
        replace: false,
        advice:
          "a rotation has begun: continue with telequick rotate swap or finish, or remove the file",
      },
      platform,
    );
    const { privateKeyId: keyId, tenantId } = generated.account;
    output.emit(
      { type: "rotation", step: 1, tenantId, keyId, previousKeyId: current.privateKeyId, ...files },
      `1 done: next key ${keyId} of tenant ${tenantId}\n  ${files.next}  the private key, mode 600\n  ${files.publicHalf}  the public key`,
    );
    output.note(
      `2 you:   register the public key in the console; both keys are valid from then on\n` +
        `         at a gateway on this machine: telequick gateway register ${
          quoteForShell(files.publicHalf)
        }${values["key-id"] === undefined ? "" : ` --key-id ${keyId}`}\n` +
        `3 then:  telequick rotate swap --endpoint ... (with --key-id KID, if the console assigned another id)`,
    );
    return 0;
  },
});

/** Step 3 on this host: the next key replaces the current one, once the gateway accepts it. */
export const rotateSwap: Command = command({
  details:
    `Signs in with the next key first, and changes nothing when the gateway refuses it. ${STEPS}`,
  options: { ...SESSION_OPTIONS, "key-id": KEY_ID_OPTION },
  examples: [["telequick rotate swap", "on the host where rotate start ran"]],
  exitCodes: { 1: "the gateway does not accept the next key: nothing was changed" },
  async run(context) {
    const { values, output, platform, clock } = context;
    const files = filesOf(context);
    const next = withKeyId(await loadAccount(files.next, output), values["key-id"]);
    const current = await loadAccount(files.current, output);
    await signIn(next, context);
    const doneAt = clock.now();
    // After an interrupted swap the next key is in place already, and the old one is in the previous file.
    const previous = current.privateKey === next.privateKey
      ? await loadAccount(files.previous, output)
      : current;
    await platform.writeFiles([
      { path: files.previous, text: textOf(previous), mode: 0o600 },
      { path: files.current, text: textOf(next), mode: 0o600 },
    ], { replace: true });
    await platform.remove(files.next);
    const quietAtMs = doneAt + LONGEST_TOKEN_MS;
    const { privateKeyId: keyId } = next;
    const { privateKeyId: previousKeyId } = previous;
    output.emit(
      { type: "rotation", step: 3, keyId, previousKeyId, quietAtMs, ...files },
      `3 done here: the gateway accepts ${keyId}, now in ${files.current}\n  ${files.previous}  the old key, until the rotation ends`,
    );
    output.note(
      `3 you:   copy ${files.current} to every other host; clients read it at their next connect\n` +
        `4 wait:  until ${formatInstant(quietAtMs)}, an hour after the last host\n` +
        `5 yours: revoke ${previousKeyId} in the console, then: telequick rotate finish\n` +
        `         at a gateway on this machine: telequick gateway revoke ${previousKeyId}`,
    );
    return 0;
  },
});

/** After step 5: sees that the old key is refused, and removes it. */
export const rotateFinish: Command = command({
  details:
    `Signs in with the old key, which the gateway must refuse, and with the current one, which it must take. ${STEPS}`,
  options: SESSION_OPTIONS,
  examples: [["telequick rotate finish", "after the old key was revoked"]],
  exitCodes: { 1: "the old key still signs in, or the current one does not: nothing was removed" },
  async run(context) {
    const { output, platform } = context;
    const files = filesOf(context);
    const previous = await loadAccount(files.previous, output);
    await signIn(await loadAccount(files.current, output), context);
    if (await isAccepted(previous, context)) {
      output.fail(
        { type: "error", code: "NOT_REVOKED", keyId: previous.privateKeyId, exitCode: 1 },
        `${
          output.noteStyle.bad("error:")
        } Cannot finish rotation: the gateway still accepts ${previous.privateKeyId}, expected it to be revoked (revoke it in the console, or at a gateway on this machine: telequick gateway revoke ${previous.privateKeyId})`,
      );
      return 1;
    }
    await platform.remove(files.previous);
    await platform.remove(files.publicHalf);
    output.emit(
      { type: "rotation", step: 5, previousKeyId: previous.privateKeyId, ...files },
      `5 done: ${previous.privateKeyId} is refused and was removed from this host`,
    );
    return 0;
  },
});

/** Signs in once with an account; rejects as the client does. */
async function signIn(account: ServiceAccount, context: RotateContext): Promise<void> {
  const { endpoint, certificateHash } = targetOf(context);
  const client = new TeleQuickClient(endpoint, account, false, {
    serverCertificateHash: certificateHash,
    reconnect: false,
    ...timeLimits(context.values),
  });
  try {
    await client.connect({ signal: context.signal });
  } finally {
    await client.close();
  }
}

async function isAccepted(account: ServiceAccount, context: RotateContext): Promise<boolean> {
  try {
    await signIn(account, context);
    return true;
  } catch (error) {
    if (error instanceof TeleQuickError && error.code === "ERR_UNAUTHORIZED") return false;
    throw error;
  }
}

function withKeyId(account: ServiceAccount, keyId: string | undefined): ServiceAccount {
  if (keyId === undefined) return account;
  checkNames(account.tenantId, keyId);
  return parseServiceAccount({ ...membersOf(account), private_key_id: keyId });
}

function textOf(account: ServiceAccount): string {
  return `${JSON.stringify(membersOf(account), null, 2)}\n`;
}

function membersOf(account: ServiceAccount): Readonly<Record<string, string>> {
  return {
    tenant_id: account.tenantId,
    private_key_id: account.privateKeyId,
    private_key: account.privateKey,
  };
}
