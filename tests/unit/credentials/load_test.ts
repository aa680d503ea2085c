import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadServiceAccount } from "../../../src/credentials/load.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertHidden, linesOf } from "../../support/canary.ts";
import { pem } from "../../support/openssl.ts";

const VARIABLE = "TELEQUICK_CREDENTIALS";
const members = { tenant_id: "acme", private_key: pem.rsa(), private_key_id: "k1" };
const json = JSON.stringify(members);
const folder = mkdtempSync(join(tmpdir(), "credentials-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

async function withVariable(value: string | undefined, run: () => Promise<void>): Promise<void> {
  const before = process.env[VARIABLE];
  const set = (to: string | undefined): void => {
    if (to === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = to;
  };
  set(value);
  try {
    await run();
  } finally {
    set(before);
  }
}

async function refuses(path: string | undefined, code: string, message: string): Promise<void> {
  await assert.rejects(loadServiceAccount(path), (error) => {
    assert.ok(error instanceof TeleQuickError);
    assert.equal(error.code, code);
    assert.equal(error.message, message);
    assert.equal(error.cause, undefined);
    assertHidden(error, linesOf(members.private_key), "the error");
    return true;
  });
}

describe("loadServiceAccount()", () => {
  it("loadServiceAccount() reads the file at a path", async () => {
    const account = await loadServiceAccount(file("a.json", json));
    assert.equal(account.tenantId, "acme");
    assert.equal(account.privateKey, members.private_key);
    assertHidden(account, linesOf(members.private_key), "a loaded account");
  });

  it("loadServiceAccount() reads the file that the environment names, and a path goes before it", async () => {
    const named = file("named.json", json.replace("acme", "named"));
    await withVariable(named, async () => {
      assert.equal((await loadServiceAccount()).tenantId, "named");
      assert.equal((await loadServiceAccount(file("b.json", json))).tenantId, "acme");
    });
  });

  it("loadServiceAccount() reads the file again every time", async () => {
    const path = file("rotated.json", json);
    assert.equal((await loadServiceAccount(path)).privateKeyId, "k1");
    file("rotated.json", json.replace(`"k1"`, `"k2"`));
    assert.equal((await loadServiceAccount(path)).privateKeyId, "k2");
  });

  it("loadServiceAccount() says which variable is not set", async () => {
    for (const value of [undefined, "", "  "]) {
      await withVariable(value, () =>
        refuses(
          undefined,
          "ERR_CREDENTIALS_NOT_FOUND",
          `Cannot load service account: ${VARIABLE} is not set, expected the path of a service-account file`,
        ));
    }
  });

  it("loadServiceAccount() says where there is no file", async () => {
    const path = join(folder, "missing.json");
    const message = `Cannot load service account: there is no file at ${JSON.stringify(path)}`;
    await refuses(path, "ERR_CREDENTIALS_NOT_FOUND", message);
    await withVariable(path, () => refuses(undefined, "ERR_CREDENTIALS_NOT_FOUND", message));
    const below = join(file("file.json", json), "below.json");
    await refuses(
      below,
      "ERR_CREDENTIALS_NOT_FOUND",
      `Cannot load service account: there is no file at ${JSON.stringify(below)}`,
    );
  });

  it("loadServiceAccount() says why a file cannot be read", async () => {
    await refuses(
      folder,
      "ERR_CREDENTIALS_NOT_FOUND",
      `Cannot load service account: ${JSON.stringify(folder)} cannot be read: EISDIR`,
    );
    const loop = join(mkdtempSync(join(folder, "loop-")), "loop.json");
    symlinkSync(loop, loop);
    await refuses(
      loop,
      "ERR_CREDENTIALS_NOT_FOUND",
      `Cannot load service account: ${JSON.stringify(loop)} cannot be read: ELOOP`,
    );
    await assert.rejects(loadServiceAccount("a\0b"), { code: "ERR_CREDENTIALS_NOT_FOUND" });
  });

  it("loadServiceAccount() does not repeat content that stands where a path is expected", async () => {
    const base64 = btoa(json);
    for (
      const content of [
        json,
        `\n${json}`,
        members.private_key,
        JSON.stringify(members.private_key),
        base64,
      ]
    ) {
      const rest =
        "holds the file's content, expected its path (pass content to parseServiceAccount)";
      await refuses(
        content,
        "ERR_CREDENTIALS_NOT_FOUND",
        `Cannot load service account: path ${rest}`,
      );
      await withVariable(
        content,
        () =>
          refuses(
            undefined,
            "ERR_CREDENTIALS_NOT_FOUND",
            `Cannot load service account: ${VARIABLE} ${rest}`,
          ),
      );
    }
  });

  it("loadServiceAccount() says what stands where a path is expected", async () => {
    const token = `eyJhbGciOiJSUzI1NiJ9.${"a".repeat(40)}.b`;
    const missing = join(folder, "missing.json");
    const cases: readonly (readonly [string, string])[] = [
      ["", "path is empty, expected the path of a service-account file"],
      [" ", "path is empty, expected the path of a service-account file"],
      [
        "undefined",
        'path is the text "undefined", expected the path of a service-account file (is the variable set?)',
      ],
      [
        "null",
        'path is the text "null", expected the path of a service-account file (is the variable set?)',
      ],
      [token, "path is a token, expected the path of a service-account file"],
      [
        "file:///a.json",
        "path is a file: URL, expected a path (fileURLToPath of node:url makes one)",
      ],
      [
        `${file("line.json", json)}\n`,
        "path begins or ends with a line break, expected the path alone (trim it)",
      ],
      [
        `${missing} `,
        `there is no file at ${
          JSON.stringify(`${missing} `)
        } (the path begins or ends with white space)`,
      ],
    ];
    for (const [path, found] of cases) {
      await refuses(path, "ERR_CREDENTIALS_NOT_FOUND", `Cannot load service account: ${found}`);
    }
  });

  it("loadServiceAccount() says that no descriptor is left, and that trying again can help", async () => {
    const script = file(
      "descriptors.ts",
      `const { loadServiceAccount } = await import(${
        JSON.stringify(new URL("../../../src/credentials/mod.ts", import.meta.url).href)
      });
       const files = [];
       try { for (;;) files.push(Deno.openSync("/dev/null")); } catch {}
       await loadServiceAccount("x.json").catch((error) => console.log(error.code, error.retryable, error.message));`,
    );
    const { stdout } = await new Deno.Command("bash", {
      args: [
        "-c",
        'ulimit -n 64; exec "$@"',
        "bash",
        Deno.execPath(),
        "run",
        "-A",
        "--quiet",
        "--no-check",
        "--no-config",
        script,
      ],
    }).output();
    assert.equal(
      new TextDecoder().decode(stdout).trim(),
      "ERR_LIMIT true Cannot load service account: too many files are open (EMFILE), expected a free descriptor (raise the limit: ulimit -n)",
    );
  });

  it("loadServiceAccount() names the file whose content it refuses", async () => {
    const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
      ["empty.json", "", "text is empty, expected JSON (is the variable set, the file written?)"],
      [
        "large.json",
        json.padEnd(65_537),
        "text has 65537 bytes, expected at most 65536",
      ],
      [
        "key.pem",
        members.private_key,
        "text is a PEM key, expected the whole service-account file, which holds the key as private_key",
      ],
      ["short.json", '{"tenant_id":"acme"}', "private_key is missing, expected a string"],
    ];
    for (const [name, content, found] of cases) {
      const path = file(name, content);
      await refuses(
        path,
        "ERR_CREDENTIALS_INVALID",
        `Cannot parse service account: ${found} (in ${JSON.stringify(path)})`,
      );
    }
  });

  it("loadServiceAccount() takes a file of exactly 64 KiB, and reads no endless one to its end", async () => {
    assert.equal(
      (await loadServiceAccount(file("full.json", json.padEnd(65_536)))).tenantId,
      "acme",
    );
    await assert.rejects(loadServiceAccount("/dev/zero"), { code: "ERR_CREDENTIALS_INVALID" });
  });

  it("loadServiceAccount() rejects with a TypeError values that are not a path", async () => {
    for (const path of [1, null, {}, new URL("file:///x")]) {
      await assert.rejects(loadServiceAccount(path as unknown as string), TypeError);
    }
  });

  it("C-03 loadServiceAccount() warns once per path and function of a file that others have access to", async () => {
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const inside = mkdtempSync(join(folder, "modes-"));
    const shared = file(join(basename(inside), "shared.json"), json, 0o644);
    const writable = file("writable.json", json, 0o602);
    const link = join(inside, "link.json");
    symlinkSync(shared, link);
    for (const path of [shared, shared, writable, link, file("private.json", json, 0o400)]) {
      await loadServiceAccount(path, { onWarning });
    }
    const warning = (path: string, mode: number): string =>
      `Service account is exposed: other users have access to ${JSON.stringify(path)}: ` +
      `mode is ${mode}, expected 600 (chmod 600 ${JSON.stringify(path)})`;
    assert.deepEqual(warnings, [warning(shared, 644), warning(writable, 602), warning(link, 644)]);
    await loadServiceAccount(shared);
    const others: string[] = [];
    await loadServiceAccount(shared, { onWarning: (message) => others.push(message) });
    assert.equal(others.length, 1);
  });

  it("C-03 loadServiceAccount() refuses such a file with requirePrivateMode", async () => {
    const path = file("strict.json", json, 0o640);
    await assert.rejects(loadServiceAccount(path, { requirePrivateMode: true }), {
      code: "ERR_CREDENTIALS_INVALID",
      message: `Cannot load service account: other users have access to ${JSON.stringify(path)}: ` +
        `mode is 640, expected 600 (chmod 600 ${JSON.stringify(path)})`,
    });
    await loadServiceAccount(file("strict.json", json, 0o600), { requirePrivateMode: true });
  });

  it("C-08 loading the room needs no permission, and what a call needs is said", async () => {
    const door = new URL("../../../src/credentials/mod.ts", import.meta.url).href;
    const script = file(
      "call.ts",
      `const { loadServiceAccount } = await import(${JSON.stringify(door)});
       for (const path of [undefined, "x.json"]) {
         await loadServiceAccount(path).catch((error) => console.log(error.message));
       }`,
    );
    const root = fileURLToPath(new URL("../../../", import.meta.url));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--quiet", "--no-check", "--no-config", script],
      cwd: root,
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.deepEqual(said.trim().split("\n"), [
      `Cannot load service account: this program is not allowed to read the environment (run with: --allow-env=${VARIABLE})`,
      'Cannot load service account: this program is not allowed to read "x.json" (run with: --allow-read="x.json")',
    ]);
  });
});
