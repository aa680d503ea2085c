import { execFileSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Runs the openssl command and returns what it printed. Its own chatter is dropped. */
export function openssl(args: string, input = ""): string {
  return execFileSync("openssl", args.split(" "), {
    input,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
}

const made: Map<string, string> = new Map();

function once(name: string, make: () => string): string {
  const known = made.get(name) ?? make();
  made.set(name, known);
  return known;
}

/** Keys and their relatives, each made by openssl on first use and thrown away with the process. */
export const pem = {
  /** PKCS#8, RSA. */
  rsa: (bits = 2048): string =>
    once(`rsa ${bits}`, () => openssl(`genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:${bits}`)),
  /** PKCS#8, RSA with another public exponent. */
  rsaWithExponent: (e: number): string =>
    once(`rsa e ${e}`, () =>
      openssl(
        `genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:${e}`,
      )),
  /** The same key as {@linkcode pem.rsa}, PKCS#1. */
  pkcs1: (bits = 2048): string => openssl("rsa -traditional", pem.rsa(bits)),
  encryptedPkcs8: (): string => openssl("pkcs8 -topk8 -passout pass:x", pem.rsa()),
  encryptedPkcs1: (): string => openssl("rsa -traditional -aes128 -passout pass:x", pem.rsa()),
  /** The public half of a private key: SPKI. */
  publicHalf: (privatePem: string): string => openssl("pkey -pubout", privatePem),
  /** The public half of an RSA private key: PKCS#1. */
  publicPkcs1: (privatePem: string): string => openssl("rsa -RSAPublicKey_out", privatePem),
  rsaPss: (): string => once("pss", () => openssl("genpkey -algorithm RSA-PSS")),
  ec: (): string =>
    once("ec", () => openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256")),
  /** Parameters and SEC1 key, the two blocks that `ecparam` prints. */
  ecTraditional: (): string => openssl("ecparam -name prime256v1 -genkey"),
  ed25519: (): string => once("ed25519", () => openssl("genpkey -algorithm ED25519")),
  x25519: (): string => once("x25519", () => openssl("genpkey -algorithm X25519")),
  dsa: (): string => once("dsa", () => openssl("pkey", openssl("dsaparam -genkey 1024"))),
  certificate: (): string =>
    openssl("req -x509 -new -key /dev/stdin -subj /CN=x -days 1", pem.rsa()),
  request: (): string => openssl("req -new -key /dev/stdin -subj /CN=x", pem.rsa()),
  /** What `ssh-keygen` writes, as far as its label; the body is as good as any. */
  openssh: (): string =>
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${fakeBody()}-----END OPENSSH PRIVATE KEY-----\n`,
} as const;

function fakeBody(): string {
  return createHash("sha512").update("openssh").digest("base64").replace(/.{1,64}/g, "$&\n");
}

/** The DER in a PEM block. */
export function derOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text.replace(/-----[^-]+-----|\s/g, ""), "base64"));
}

/** Puts DER into a PEM block. */
export function pemOf(der: Uint8Array, label: string): string {
  const lines = Buffer.from(der).toString("base64").replace(/.{1,64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}
