import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import process from "node:process";
import * as jose from "jose";
import jsonwebtoken from "jsonwebtoken";
import {
  createTokenSource,
  importSigner,
  importVerifyingKey,
  mintBrowserToken,
  parseServiceAccount,
  signToken,
  verifyToken,
} from "../../src/token/mod.ts";
import { generateServiceAccount } from "../../src/credentials/mod.ts";
import { cpuMicroseconds, type Figure, percentile, scenario } from "./support/scenario.ts";

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;
const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** Work by name; the first is the floor, with which the others are compared. */
type Contenders = Readonly<Record<string, (index: number) => unknown>>;

interface Trial {
  /** Calls of one contender in its turn. */
  readonly count: number;
  /** Turns of each. */
  readonly rounds: number;
  /** What share of the floor's speed ours must reach. Default: no target. */
  readonly atLeast?: number;
}

/** Does all in turns, one call after the other, and gives the floor's CPU time and each one's speed as a share of the floor's. */
async function race(what: string, contenders: Contenders, trial: Trial): Promise<Figure[]> {
  const { count, rounds, atLeast } = trial;
  const entries = Object.entries(contenders);
  const samples: number[][] = entries.map(() => []);
  for (let round = -2; round < rounds; round++) {
    for (const [i, [, work]] of entries.entries()) {
      const before = cpuMicroseconds();
      for (let call = 0; call < count; call++) await work(call);
      // What comes before the first round is for the compiler to learn from.
      if (round >= 0) samples[i]!.push((cpuMicroseconds() - before) / count);
    }
  }
  const [floor = [], ...others] = samples;
  const figures: Figure[] = [{
    what: `${what}, ${entries[0]![0]}`,
    value: percentile(floor, 0.5),
    unit: "us",
  }];
  for (const [i, own] of others.entries()) {
    const name = entries[i + 1]![0];
    const share = percentile(own.map((sample, round) => floor[round]! / sample), 0.5);
    const target = name === "ours" && atLeast !== undefined ? { atLeast } : {};
    figures.push({
      what: `${what}, ${name} (share of the floor's speed)`,
      value: share,
      unit: "x",
      ...target,
    });
  }
  return figures;
}

async function fixture() {
  const { account, json, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  const signer = await importSigner(account);
  const key = await importVerifyingKey(publicKeyPem);
  const tokens = await Promise.all(
    Array.from({ length: 64 }, (_, n) => signToken(signer, { claims: { n } })),
  );
  return { account, json, publicKeyPem, signer, key, tokens };
}

scenario({
  name: "token: sign with a ready key",
  async run() {
    const { account, signer } = await fixture();
    const data = new TextEncoder().encode("x".repeat(170));
    const privateKey = createPrivateKey(account.privateKey);
    const payload = { iss: "telequick-sdk", sub: "acme" };
    return await race("sign", {
      "bare subtle.sign": () => crypto.subtle.sign(RS256.name, signer.key, data),
      ours: () => signToken(signer),
      "ours, for a browser": () => mintBrowserToken(signer, { scope: "call.dial" }),
      jose: () =>
        new jose.SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: signer.keyId })
          .setIssuedAt().setExpirationTime("1h").sign(signer.key),
      jsonwebtoken: () =>
        jsonwebtoken.sign(payload, privateKey, {
          algorithm: "RS256",
          keyid: signer.keyId,
          expiresIn: 3600,
        }),
    }, { count: 60, rounds: 9, atLeast: isNode ? 0.95 : 0.97 });
  },
});

scenario({
  name: "token: verify with a kid look-up",
  async run() {
    const { signer, key, tokens, publicKeyPem } = await fixture();
    const records = new Map([[signer.keyId, { tenantId: "acme", key }]]);
    const jwk = { ...await jose.exportJWK(key), kid: signer.keyId, alg: "RS256" };
    const keys = jose.createLocalJWKSet({ keys: [jwk] });
    const publicKey = createPublicKey(publicKeyPem);
    const parts = tokens.map((token) => {
      const dot = token.lastIndexOf(".");
      const signature = new Uint8Array(Buffer.from(token.slice(dot + 1), "base64url"));
      return { signature, data: new TextEncoder().encode(token.slice(0, dot)) };
    });
    const options = { resolveKey: (keyId: string) => records.get(keyId) };
    return await race("verify", {
      "bare subtle.verify": (i) =>
        crypto.subtle.verify(RS256.name, key, parts[i & 63]!.signature, parts[i & 63]!.data),
      ours: (i) => verifyToken(tokens[i & 63]!, options),
      jose: (i) =>
        jose.jwtVerify(tokens[i & 63]!, keys, { algorithms: ["RS256"], issuer: "telequick-sdk" }),
      jsonwebtoken: (i) =>
        jsonwebtoken.verify(tokens[i & 63]!, publicKey, {
          algorithms: ["RS256"],
          issuer: "telequick-sdk",
        }),
    }, { count: 400, rounds: 9, atLeast: isNode ? 0.85 : 0.92 });
  },
});

scenario({
  name: "token: from the file's text to the first token",
  async run() {
    const { json, account } = await fixture();
    const der = Buffer.from(account.privateKey.replace(/-----[^-]+-----|\s/g, ""), "base64");
    const data = new TextEncoder().encode("x".repeat(170));
    return await race("first token", {
      "bare importKey and sign": async () => {
        const key = await crypto.subtle.importKey("pkcs8", new Uint8Array(der), RS256, false, [
          "sign",
        ]);
        await crypto.subtle.sign(RS256.name, key, data);
      },
      // The check that the key's numbers belong together is part of it.
      ours: async () => signToken(await importSigner(parseServiceAccount(json))),
      jose: async () => {
        const { private_key, tenant_id, private_key_id } = JSON.parse(json);
        return new jose.SignJWT({ sub: tenant_id })
          .setProtectedHeader({ alg: "RS256", kid: private_key_id })
          .setIssuer("telequick-sdk").setIssuedAt().setExpirationTime("1h")
          .sign(await jose.importPKCS8(private_key, "RS256"));
      },
    }, { count: 40, rounds: 9, atLeast: 1 / 1.6 });
  },
});

scenario({
  name: "token: take one that is cached",
  async run() {
    const source = createTokenSource((await fixture()).signer);
    await source.get();
    const count = 200_000;
    const samples: number[] = [];
    for (let round = 0; round < 7; round++) {
      const before = cpuMicroseconds();
      for (let i = 0; i < count; i++) await source.get();
      samples.push(count / (cpuMicroseconds() - before) * 1e6);
    }
    const value = percentile(samples, 0.5);
    // The target is Node's and Bun's.
    return [{ what: "cached tokens", value, unit: "/s", atLeast: 1e6 }];
  },
});
