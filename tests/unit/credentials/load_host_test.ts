import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { loadServiceAccount } from "../../../src/credentials/load.ts";
import type { TeleQuickError } from "../../../src/base/errors.ts";

const VARIABLE = "TELEQUICK_CREDENTIALS";
const members = { tenant_id: "acme", private_key: "key", private_key_id: "k1" };
const json = JSON.stringify(members);
const folder = mkdtempSync(join(tmpdir(), "credentials-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, json);
  chmodSync(path, mode);
  return path;
}

/** Runs with other globals in the place of these. */
async function withGlobals(
  globals: Readonly<Record<string, unknown>>,
  run: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(globals).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const
  );
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
  }
  try {
    await run();
  } finally {
    for (const [name, descriptor] of before) Object.defineProperty(globalThis, name, descriptor);
  }
}

describe("loadServiceAccount() where the system refuses", () => {
  const path = "account.json";
  const cases: readonly (readonly [object, string, string])[] = [
    [{ name: "NotFound" }, "NOT_FOUND", 'there is no file at "account.json"'],
    [{ code: "ENOENT" }, "NOT_FOUND", 'there is no file at "account.json"'],
    [{ code: "ENOTDIR" }, "NOT_FOUND", 'there is no file at "account.json"'],
    [
      { name: "NotCapable" },
      "NOT_FOUND",
      'this program is not allowed to read "account.json" (run with: --allow-read="account.json")',
    ],
    [
      { code: "EACCES" },
      "NOT_FOUND",
      'this user is not allowed to read "account.json" (EACCES)',
    ],
    [{ code: "EPERM" }, "NOT_FOUND", 'this user is not allowed to read "account.json" (EPERM)'],
    [{ name: "Busy", code: "EIO" }, "NOT_FOUND", '"account.json" cannot be read: EIO'],
    [{ name: "Busy", code: "xEIO" }, "NOT_FOUND", '"account.json" cannot be read: Busy'],
    [{ name: "Busy", code: "EIO canary" }, "NOT_FOUND", '"account.json" cannot be read: Busy'],
    [{ name: "Busy" }, "NOT_FOUND", '"account.json" cannot be read: Busy'],
    [
      { code: "EMFILE" },
      "LIMIT",
      "too many files are open (EMFILE), expected a free descriptor (raise the limit: ulimit -n)",
    ],
    [
      { code: "ENFILE" },
      "LIMIT",
      "too many files are open (ENFILE), expected a free descriptor (raise the limit: ulimit -n)",
    ],
  ];
  for (const [fault, kind, found] of cases) {
    it(`says what to do about ${JSON.stringify(fault)}`, async () => {
      const open = () => Promise.reject(Object.assign(new Error("canary"), fault));
      await withGlobals(
        { Deno: { open } },
        () =>
          assert.rejects(loadServiceAccount(path), (error: TeleQuickError) => {
            assert.equal(error.message, `Cannot load service account: ${found}`);
            assert.equal(error.retryable, kind === "LIMIT");
            assert.equal(
              error.code,
              kind === "LIMIT" ? "ERR_LIMIT" : "ERR_CREDENTIALS_NOT_FOUND",
            );
            return true;
          }),
      );
    });
  }

  it("says that a path begins or ends with white space", async () => {
    await assert.rejects(loadServiceAccount("./none.json "), {
      code: "ERR_CREDENTIALS_NOT_FOUND",
      message: 'Cannot load service account: there is no file at "./none.json " ' +
        "(the path begins or ends with white space)",
    });
  });

  it("closes the file that it cannot read, and the one that it read in pieces", async () => {
    const bytes = new TextEncoder().encode(json);
    let closed = 0;
    const open = (path: string) => {
      let at = 0;
      return Promise.resolve({
        stat: () => Promise.resolve({ mode: null }),
        read: (into: Uint8Array) => {
          if (path === "bad") return Promise.reject(Object.assign(new Error(), { code: "EIO" }));
          const piece = bytes.subarray(at, at += Math.min(100, into.length));
          into.set(piece);
          return Promise.resolve(piece.length === 0 ? null : piece.length);
        },
        close: () => closed++,
      });
    };
    await withGlobals({ Deno: { open } }, async () => {
      await assert.rejects(loadServiceAccount("bad"), {
        message: 'Cannot load service account: "bad" cannot be read: EIO',
      });
      assert.equal(closed, 1);
      assert.equal((await loadServiceAccount("good")).tenantId, "acme");
      assert.equal(closed, 2);
    });
  });
});

describe("loadServiceAccount() on Node.js", () => {
  const node = (more: object = {}) => ({
    platform: "linux",
    env: process.env,
    getBuiltinModule: process.getBuiltinModule,
    ...more,
  });

  it("reads the file that a path or the environment names", async () => {
    const path = file("node.json");
    await withGlobals({ Deno: undefined, process: node() }, async () => {
      assert.equal((await loadServiceAccount(path)).tenantId, "acme");
    });
    const env = { [VARIABLE]: path };
    await withGlobals({ Deno: undefined, process: node({ env }) }, async () => {
      assert.equal((await loadServiceAccount()).tenantId, "acme");
    });
  });

  it("looks at the file's mode, except on Windows, where it says nothing", async () => {
    const path = file("node-shared.json", 0o644);
    for (const [platform, expected] of [["linux", 1], ["win32", 0]] as const) {
      const warnings: string[] = [];
      await withGlobals({ Deno: undefined, process: node({ platform }) }, async () => {
        await loadServiceAccount(path, { onWarning: (message) => warnings.push(message) });
      });
      assert.equal(warnings.length, expected, platform);
    }
  });

  it("says what an old Node.js lacks, and what a runtime without files does", async () => {
    const old = node({ getBuiltinModule: undefined, versions: { node: "20.1.0" } });
    for (
      const [process, found] of [[old, /Node.js 20.1.0 has no/], [undefined, /no file system/]]
    ) {
      await withGlobals(
        { Deno: undefined, process },
        () =>
          assert.rejects(loadServiceAccount("x.json"), {
            code: "ERR_CREDENTIALS_NOT_FOUND",
            message: found as RegExp,
          }),
      );
    }
  });
});
