import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import {
  decodeToken,
  generateServiceAccount,
  importSigner,
  mintBrowserToken,
  signToken,
} from "../../../../mod.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { type FakePlatformOptions, runCli } from "../../../support/fake_platform.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/folder.ts";

const generated = await generateServiceAccount({ tenantId: "acme", privateKeyId: "k1" });
const signer = await importSigner(generated.account);
const stranger = await importSigner(
  (await generateServiceAccount({ tenantId: "acme", privateKeyId: "k1" })).account,
);
const clock = new FakeClock();

async function withKeys(): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await writeFile(folder.at("account.json"), generated.json, { mode: 0o600 });
  await writeFile(folder.at("public.pem"), generated.publicKeyPem);
  return folder;
}

function token(args: readonly string[], options: Omit<FakePlatformOptions, "args"> = {}) {
  return runCli(["token", ...args], { clock, ...options });
}

describe("telequick token mint", () => {
  it("describes the token and does not show it", async () => {
    await using folder = await withKeys();
    const env = { TELEQUICK_CREDENTIALS: folder.at("account.json") };
    const { code, stdout, stderr } = await token([
      "mint",
      "--credentials",
      env.TELEQUICK_CREDENTIALS,
    ], { env });
    assert.equal(code, 0);
    assert.equal(
      stdout,
      "Signed for tenant acme with key k1: expires 2026-01-01T01:00:00Z, in 1 h\n",
    );
    assert.match(stderr, /--show prints it/);
    assert.doesNotMatch(stdout + stderr, /eyJ/);
  });

  it("prints the token alone on the standard output when it is asked for", async () => {
    await using folder = await withKeys();
    const { stdout } = await token([
      ...["mint", "--credentials", folder.at("account.json"), "--show"],
      ...["--lifetime", "60", "--claim", "trace=a=b"],
    ]);
    const { header, claims } = decodeToken(stdout.trim());
    assert.equal(header["kid"], "k1");
    const iat = clock.now() / 1_000;
    assert.deepEqual({ ...claims }, {
      iss: "telequick-sdk",
      sub: "acme",
      iat,
      exp: iat + 60,
      trace: "a=b",
    });
  });

  it("writes the token to a file that only its owner can read", async () => {
    await using folder = await withKeys();
    const { code, stdout } = await token([
      ...["mint", "--credentials", folder.at("account.json"), "--out", folder.at("token")],
    ]);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /eyJ/);
    decodeToken((await readFile(folder.at("token"), "utf8")).trim());
    if (process.platform !== "win32") {
      assert.equal((await stat(folder.at("token"))).mode & 0o777, 0o600);
    }
  });

  it("shows a token to machines only when it is asked for", async () => {
    await using folder = await withKeys();
    const args = ["mint", "--credentials", folder.at("account.json"), "--json"];
    const [hidden] = (await token(args)).records();
    assert.ok(!("token" in hidden!));
    const [shown] = (await token([...args, "--show"])).records();
    decodeToken(String(shown!["token"]));
  });

  it("warns of a file that others can read", async () => {
    if (process.platform === "win32") return;
    await using folder = await withKeys();
    await chmod(folder.at("account.json"), 0o644);
    const { code, stderr } = await token(["mint", "--credentials", folder.at("account.json")]);
    assert.equal(code, 0);
    assert.match(stderr, /^warning: .*mode is 644, expected 600 \(chmod 600 /m);
  });

  it("refuses a life that is too long, a claim of the SDK's own, and a claim without a name", async () => {
    await using folder = await withKeys();
    const args = ["--credentials", folder.at("account.json")];
    for (const more of [["--lifetime", "3601"], ["--claim", "sub=other"], ["--claim", "=x"]]) {
      assert.equal((await token(["mint", ...args, ...more])).code, 2, more.join(" "));
    }
    assert.equal((await token(["browser", ...args, "--lifetime", "301"])).code, 2);
    assert.equal((await token(["browser", ...args, "--origin", "app.example"])).code, 2);
  });
});

describe("telequick token browser", () => {
  it("mints what the page may do, for five minutes", async () => {
    await using folder = await withKeys();
    const { stdout } = await token([
      ...["browser", "--credentials", folder.at("account.json"), "--show"],
      ...[
        "--scope",
        "call.dial",
        "--origin",
        "https://app.example",
        "--end-user",
        "u1",
        "--jti",
        "j1",
      ],
    ]);
    const { claims } = decodeToken(stdout.trim());
    const { scope, origin, end_user, jti, iat, exp } = claims;
    assert.deepEqual({ scope, origin, end_user, jti }, {
      scope: "call.dial",
      origin: "https://app.example",
      end_user: "u1",
      jti: "j1",
    });
    assert.equal(Number(exp) - Number(iat), 300);
  });
});

describe("telequick token inspect", () => {
  it("shows header and claims and finds nothing wrong with a good token, from a pipe or an argument", async () => {
    const good = await signToken(signer, { now: clock.now() });
    for (const [args, input] of [[[], `${good}\n`], [["-"], good], [[good], ""]] as const) {
      const { code, stdout } = await token(["inspect", ...args], { input });
      assert.equal(code, 0);
      assert.match(stdout, /^header kid: "k1"$/m);
      assert.match(stdout, /^claim exp: \d+ \(2026-01-01T01:00:00Z\)$/m);
      assert.match(stdout, /^nothing wrong as far as can be seen without the key$/m);
      assert.ok(!stdout.includes(good.split(".")[2]!), "the signature is not shown");
    }
  });

  it("says everything that a gateway would refuse", async () => {
    const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signature = "A".repeat(342);
    const made = (header: unknown, claims: unknown) =>
      `${segment(header)}.${segment(claims)}.${signature}`;
    const now = clock.now() / 1_000;
    const claims = { iss: "telequick-sdk", sub: "acme", iat: now, exp: now + 60 };
    const header = { alg: "RS256", kid: "k1", typ: "JWT" };
    const wrong: readonly [object, object, RegExp][] = [
      [{ ...header, alg: "none" }, claims, /alg is "none", expected "RS256"/],
      [{ ...header, kid: undefined }, claims, /kid is missing, expected a key id/],
      [{ ...header, kid: "a b" }, claims, /kid is "a b"/],
      [{ ...header, typ: "JWS" }, claims, /typ is "JWS"/],
      [header, { ...claims, iss: "me" }, /iss is "me", expected "telequick-sdk"/],
      [header, { ...claims, sub: "ACME" }, /sub is "ACME", expected a tenant id/],
      [header, { ...claims, exp: now - 90 }, /it expired 1 min 30 s ago/],
      [
        header,
        { ...claims, exp: now + 3_700 },
        /its lifetime is 3700 s, expected at most 3600 for a token/,
      ],
      [
        header,
        { ...claims, scope: "x", exp: now + 301 },
        /its lifetime is 301 s, expected at most 300 for a browser token/,
      ],
      [header, { ...claims, iat: now + 60, exp: now + 90 }, /iat is in the future/],
      [header, { ...claims, nbf: now + 60 }, /nbf is in the future/],
      [header, { ...claims, exp: undefined }, /exp is missing/],
      [header, { ...claims, iat: "now" }, /iat is "now"/],
    ];
    for (const [head, body, expected] of wrong) {
      const { code, stdout } = await token(["inspect"], { input: made(head, body) });
      assert.equal(code, 1, String(expected));
      assert.match(stdout, new RegExp(`^wrong: .*${expected.source}`, "m"));
    }
    const { records } = await token(["inspect", "--json"], {
      input: made(header, { ...claims, iss: "x" }),
    });
    assert.deepEqual(records()[0]!["problems"], ['iss is "x", expected "telequick-sdk"']);
  });

  it("reports what is not a token, and what is missing", async () => {
    const { code, stdout } = await token(["inspect"], { input: "not a token" });
    assert.equal(code, 1);
    assert.match(stdout, /^wrong: Cannot /);
    assert.equal((await token(["inspect"], { input: " \n" })).code, 2);
    assert.equal((await token(["inspect"])).code, 2, "a person would wait for ever");
  });
});

describe("telequick token verify", () => {
  it("reports the signer", async () => {
    await using folder = await withKeys();
    const args = ["verify", "--public-key", folder.at("public.pem")];
    const service = await signToken(signer, { now: clock.now() });
    const page = await mintBrowserToken(signer, {
      now: clock.now(),
      origin: "https://app.example",
    });
    const first = await token([...args, "--tenant", "acme", "--key-id", "k1"], { input: service });
    assert.equal(first.code, 0);
    assert.match(first.stdout, /^valid: tenant acme, key k1, a service token, expires/);
    const second = await token([...args, "--origin", "https://app.example", "--json"], {
      input: page,
    });
    assert.equal(second.code, 0);
    const { valid, kind } = second.records()[0]!;
    assert.deepEqual({ valid, kind }, { valid: true, kind: "browser" });
  });

  it("exits with 1 for a token that is forged, another tenant's, or expired", async () => {
    await using folder = await withKeys();
    const args = ["verify", "--public-key", folder.at("public.pem")];
    const now = clock.now();
    const good = await signToken(signer, { now });
    const cases: readonly [string, readonly string[], RegExp][] = [
      [await signToken(stranger, { now }), [], /signature/],
      [good, ["--tenant", "globex"], /sub|tenant/],
      [good, ["--key-id", "k2"], /kid/],
      [await signToken(signer, { now: now - 3_601_000 }), [], /exp/],
      ["no token", [], /./],
    ];
    for (const [input, more, reason] of cases) {
      const { code, stdout } = await token([...args, ...more], { input });
      assert.equal(code, 1);
      assert.match(stdout, /^not valid: /);
      assert.match(stdout, reason);
      assert.doesNotMatch(stdout, /eyJ/);
    }
  });

  it("exits with 2 without a public key, or with a file that holds none", async () => {
    await using folder = await withKeys();
    assert.equal((await token(["verify"], { input: "x" })).code, 2);
    for (const path of [folder.at("missing.pem"), folder.path, folder.at("account.json")]) {
      const { code, stderr } = await token(["verify", "--public-key", path], { input: "x" });
      assert.equal(code, 2, path);
      assert.doesNotMatch(stderr, /MII|^\s+at /m);
    }
  });
});
