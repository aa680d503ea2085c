import {
  generateServiceAccount,
  importSigner,
  importVerifyingKey,
  parseServiceAccount,
  type Signer,
  signToken,
  TeleQuickError,
} from "@telequick/sdk";
import {
  createReplayStore,
  createTokenSource,
  decodeToken,
  type KeyRecord,
  mintBrowserToken,
  verifyToken,
  type VerifyTokenOptions,
} from "@telequick/sdk/token";
import { type Check, equal, ok, refused } from "./check.ts";
import golden from "./golden.json" with { type: "json" };

const { nowMs, tenantId, keyId, privateKeyPem, publicKeyPem } = golden;
const fileText = JSON.stringify({
  tenant_id: tenantId,
  private_key_id: keyId,
  private_key: privateKeyPem,
});

/** The golden key as a signer. A page has to insist. */
export function goldenSigner(privateKey: string = privateKeyPem): Promise<Signer> {
  const account = { tenantId, privateKeyId: keyId, privateKey };
  return importSigner(account, { allowInBrowser: true });
}

async function goldenRules(record: Partial<KeyRecord> = {}): Promise<VerifyTokenOptions> {
  const key = await importVerifyingKey(publicKeyPem);
  return {
    now: nowMs,
    resolveKey: (id) => id === keyId ? { tenantId, key, ...record } : undefined,
  };
}

/** A token like the golden one with another part in place of one of its own. */
function withPart(index: 0 | 1 | 2, part: object | string): string {
  const parts = golden.token.split(".");
  parts[index] = typeof part === "string" ? part : btoa(JSON.stringify(part)).replace(/=+$/, "");
  return parts.join(".");
}

const pastedForms: Readonly<Record<string, (pem: string) => string>> = {
  "as it is": (pem) => pem,
  "with CRLF": (pem) => pem.replaceAll("\n", "\r\n"),
  "with a byte order mark": (pem) => `\uFEFF${pem}`,
  "with line ends in two characters": (pem) => pem.replaceAll("\n", "\\n"),
  "with line ends escaped twice": (pem) => pem.replaceAll("\n", "\\\\n"),
  "in quotes": (pem) => JSON.stringify(pem),
  "on one line": (pem) => pem.replaceAll("\n", " "),
  "indented": (pem) => pem.replaceAll("\n", "\n    "),
  "with text around it": (pem) => `Bag Attributes\n${pem}\nsee the vault\n`,
  "as base64 of the whole": (pem) => btoa(pem),
};

export const tokenChecks: readonly Check[] = [
  {
    title: "parseServiceAccount() reads text, bytes and objects, with a byte order mark too",
    run() {
      const inputs = [
        fileText,
        `\uFEFF${fileText}`,
        new TextEncoder().encode(fileText),
        JSON.parse(fileText),
      ];
      for (const input of inputs) {
        const account = parseServiceAccount(input);
        equal(account.tenantId, tenantId);
        equal(account.privateKeyId, keyId);
        equal(account.privateKey, privateKeyPem);
      }
    },
  },
  {
    title:
      "parseServiceAccount() refuses everything but a service account, and quotes nothing of it",
    async run() {
      for (const input of ["CANARY", '{"private_key":"CANARY"', '["CANARY"]', "{}"]) {
        const error = await refused(() => parseServiceAccount(input), {
          code: "ERR_CREDENTIALS_INVALID",
        });
        ok(!`${error.stack}`.includes("CANARY"), "the error does not repeat its input");
      }
    },
  },
  {
    title: "importSigner() takes PKCS#8 and PKCS#1 in every form in which people paste them",
    async run() {
      for (const pem of [privateKeyPem, golden.privateKeyPkcs1Pem]) {
        for (const [form, change] of Object.entries(pastedForms)) {
          const signer = await goldenSigner(change(pem));
          equal(await signToken(signer, { now: nowMs }), golden.token, `token of a key ${form}`);
        }
      }
    },
  },
  {
    title: "importSigner() gives a key that signs and cannot be exported",
    async run() {
      const { key } = await goldenSigner();
      equal(key.extractable, false);
      equal([...key.usages], ["sign"]);
    },
  },
  {
    title: "importSigner() refuses a browser page that does not insist",
    async run() {
      const inPage = "document" in globalThis;
      const importing = importSigner(parseServiceAccount(fileText));
      if (!inPage) equal((await importing).keyId, keyId);
      else await refused(importing, { code: "ERR_CREDENTIALS_INVALID", message: /browser page/ });
    },
  },
  {
    title: "importSigner() says in our own words why a key cannot be used, and no more",
    async run() {
      const { EC, Ed25519, "RSA-1024": small } = golden.unusable;
      const relabelled = (label: string): string => privateKeyPem.replaceAll("PRIVATE KEY", label);
      const cases: readonly (readonly [string, string, RegExp])[] = [
        [EC, "ERR_KEY_UNSUPPORTED", /is EC, expected RSA/],
        [Ed25519, "ERR_KEY_UNSUPPORTED", /is Ed25519, expected RSA/],
        [small, "ERR_KEY_UNSUPPORTED", /1024 bits, expected 2048 to 4096/],
        [publicKeyPem, "ERR_KEY_UNSUPPORTED", /"PUBLIC KEY", expected "PRIVATE KEY"/],
        [relabelled("ENCRYPTED PRIVATE KEY"), "ERR_KEY_UNSUPPORTED", /decrypt it with: openssl/],
        // Cut off; and with one byte of the modulus changed, which some runtimes take, to sign tokens that never verify.
        [
          privateKeyPem.replace(/(\n[^\n]+){3}\n-----END/, "\n-----END"),
          "ERR_CREDENTIALS_INVALID",
          /damaged/,
        ],
        [privateKeyPem.replace("K4uPJtGXO", "K4uPKtGXO"), "ERR_CREDENTIALS_INVALID", /damaged/],
        ["hello", "ERR_CREDENTIALS_INVALID", /PEM/],
      ];
      for (const [pem, code, reason] of cases) {
        const error = await refused(goldenSigner(pem), { code, message: reason });
        ok(error.message.startsWith("Cannot import private key: "), error.message);
        equal(error.cause, undefined, "cause");
      }
    },
  },
  {
    title: "signToken() signs what others sign, byte for byte",
    async run() {
      equal(await signToken(await goldenSigner(), { now: nowMs }), golden.token);
    },
  },
  {
    title: "verifyToken() takes a token of others, and freezes what it says",
    async run() {
      const verified = await verifyToken(golden.token, await goldenRules());
      equal(verified.tenantId, tenantId);
      equal(verified.keyId, keyId);
      equal(verified.kind, "sdk");
      equal(verified.expiresAtMs - (verified.issuedAtMs ?? 0), 3_600_000);
      ok(Object.isFrozen(verified) && Object.isFrozen(verified.claims), "it is frozen");
    },
  },
  {
    title: "verifyToken() refuses tokens that are over, early, changed, unsigned or unknown",
    async run() {
      const header = { alg: "RS256", typ: "JWT", kid: keyId };
      const claims = JSON.parse(atob(golden.token.split(".")[1]!));
      const rejected = { code: "ERR_TOKEN_INVALID", refusal: "rejected" };
      const rules = await goldenRules();
      const at = (seconds: number): VerifyTokenOptions => ({
        ...rules,
        now: nowMs + seconds * 1000,
      });
      await verifyToken(golden.token, at(3599));
      await refused(verifyToken(golden.token, at(3600)), {
        code: "ERR_TOKEN_EXPIRED",
        refusal: "expired",
      });
      await verifyToken(golden.token, at(-30));
      await refused(verifyToken(golden.token, at(-31)), {
        code: "ERR_TOKEN_INVALID",
        refusal: "not yet valid",
      });
      await refused(verifyToken(golden.token, { ...rules, maxLifetimeSeconds: 3599 }), {
        code: "ERR_TOKEN_LIFETIME",
        refusal: "lifetime",
      });
      await refused(verifyToken(withPart(1, { ...claims, sub: "globex" }), rules), rejected);
      await refused(
        verifyToken(withPart(2, golden.token.slice(-342, -6) + "AAAAAA"), rules),
        rejected,
      );
      await refused(verifyToken(withPart(2, ""), rules), rejected);
      await refused(verifyToken(withPart(0, { ...header, alg: "none" }), rules), rejected);
      await refused(verifyToken(withPart(0, { ...header, alg: "HS256" }), rules), rejected);
      await refused(verifyToken(withPart(0, { ...header, kid: "other" }), rules), rejected);
      await refused(verifyToken(golden.token, await goldenRules({ tenantId: "globex" })), rejected);
      await refused(verifyToken(golden.token, await goldenRules({ revoked: true })), {
        code: "ERR_TOKEN_INVALID",
        refusal: "revoked",
      });
    },
  },
  {
    title: "verifyToken() takes a one-time token once",
    async run() {
      const rules = { ...await goldenRules(), replay: createReplayStore({ capacity: 8 }) };
      const token = await mintBrowserToken(await goldenSigner(), { now: nowMs, jti: "once" });
      equal((await verifyToken(token, rules)).jti, "once");
      await refused(verifyToken(token, rules), { code: "ERR_TOKEN_INVALID" });
    },
  },
  {
    title: "mintBrowserToken() carries its claims and lives at most 300 s",
    async run() {
      const signer = await goldenSigner();
      const claims = { scope: "call.dial", origin: "https://app.example", endUser: "u-1" };
      const token = await mintBrowserToken(signer, { now: nowMs, ...claims });
      const verified = await verifyToken(token, {
        ...await goldenRules(),
        origin: claims.origin,
        kind: "browser",
      });
      const { kind, scope, origin, endUser, expiresAtMs, issuedAtMs = 0 } = verified;
      equal(
        { kind, scope, origin, endUser, life: expiresAtMs - issuedAtMs },
        { kind: "browser", ...claims, life: 300_000 },
      );
      await refused(() => mintBrowserToken(signer, { lifetimeSeconds: 301 }), {
        code: "ERR_TOKEN_LIFETIME",
      });
    },
  },
  {
    title: "createTokenSource() signs once for many, and anew when a fifth of the life is left",
    async run() {
      let now = nowMs;
      const clock = { now: () => now, monotonic: () => now, schedule: () => () => {} };
      let asked = 0;
      const signer = await goldenSigner();
      const source = createTokenSource(() => {
        asked++;
        return signer;
      }, { clock });
      const tokens = await Promise.all(Array.from({ length: 20 }, () => source.get()));
      ok(tokens.every((token) => token === golden.token), "all got the same token");
      now += 2_879_000;
      equal(await source.get(), golden.token);
      equal(asked, 1, "how often the key was asked for");
      now += 2_000;
      const next = await source.get();
      equal(decodeToken(next).claims["iat"], now / 1000);
      equal(asked, 2, "how often the key was asked for");
    },
  },
  {
    title: "generateServiceAccount() makes a key whose tokens verify under its public half",
    async run() {
      const { account, json, publicKeyPem: pem } = await generateServiceAccount({ tenantId });
      const signer = await importSigner(parseServiceAccount(json), { allowInBrowser: true });
      const key = await importVerifyingKey(pem);
      const verified = await verifyToken(await signToken(signer), {
        resolveKey: (id) => id === account.privateKeyId ? { tenantId, key } : undefined,
      });
      equal(verified.keyId, account.privateKeyId);
    },
  },
  {
    title: "keys and tokens are in nothing that is printed",
    async run() {
      const account = parseServiceAccount(fileText);
      const error = new TeleQuickError("ERR_LIMIT", "Too much");
      const source = createTokenSource(await goldenSigner());
      await source.get();
      const secret = /MII|PRIVATE KEY|eyJ/;
      for (const held of [account, await goldenSigner(), source, error]) {
        for (const print of printers()) {
          ok(!secret.test(print(held)), `no secret in ${print(held).slice(0, 200)}`);
        }
      }
      ok(secret.test(account.privateKey), "the account's own member has the key");
    },
  },
];

/** The ways in which this runtime prints values. */
function printers(): readonly ((value: unknown) => string)[] {
  const { Deno, Bun, process } = globalThis as {
    Deno?: { inspect(value: unknown, options: object): string };
    Bun?: { inspect(value: unknown, options: object): string };
    process?: {
      getBuiltinModule?(name: string): { inspect(value: unknown, options: object): string };
    };
  };
  const inspect = Deno?.inspect ?? Bun?.inspect ??
    process?.getBuiltinModule?.("node:util")?.inspect;
  return [
    String,
    (value) => JSON.stringify(value) ?? "",
    (value) => JSON.stringify(Object.getOwnPropertyDescriptors(value as object)),
    ...(inspect === undefined
      ? []
      : [(value: unknown) => inspect(value, { depth: 10, showHidden: true })]),
  ];
}
