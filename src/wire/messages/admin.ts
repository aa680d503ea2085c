/**
 * The admin API but for trunks (protocol.md section 8). The agent DAG methods are left out: their fields are not published.
 *
 * @module
 */

import { i32, i64, secret, text } from "../field.ts";
import { type Message, message } from "../message.ts";

/** Loads the gateway's certificate anew; existing connections stay. */
export interface ReloadCertificatesRequest {
  /** Absolute path on the gateway's host. Default: `""`. */
  readonly certPath: string;
  /** Absolute path on the gateway's host. Default: `""`. */
  readonly keyPath: string;
}

/** Loads the gateway's certificate anew; existing connections stay. */
export const ReloadCertificatesRequest: Message<ReloadCertificatesRequest> =
  /* @__PURE__ */ message<ReloadCertificatesRequest>("ReloadCertificatesRequest", () => ({
    certPath: text,
    keyPath: text,
  }));

/** Whether the certificate was loaded; if not, the old one stays. */
export interface ReloadCertificatesResponse {
  /** `ok` or `error`. Default: `""`. */
  readonly status: string;
  /** Why it was not. Default: `""`, it was. */
  readonly errorMessage: string;
}

/** Whether the certificate was loaded; if not, the old one stays. */
export const ReloadCertificatesResponse: Message<ReloadCertificatesResponse> =
  /* @__PURE__ */ message<ReloadCertificatesResponse>(
    "ReloadCertificatesResponse",
    () => ({
      status: text,
      errorMessage: text,
    }),
  );

/** Asks for a browser's token (section 1.3). */
export interface SessionAuthRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The tenant that the browser's token is for. Default: `""`. */
  readonly tenantId: string;
  /** The end user, free-form. Default: `""`. */
  readonly subject: string;
  /** How long it lives, in seconds; the gateway caps it at 300 (int32). Default: 0. */
  readonly ttlSeconds: number;
  /** What it allows, separated by spaces: `call.dial call.barge`. Default: `""`. */
  readonly scope: string;
}

/** Asks for a browser's token (section 1.3). */
export const SessionAuthRequest: Message<SessionAuthRequest> = /* @__PURE__ */ message<
  SessionAuthRequest
>("SessionAuthRequest", () => ({
  adminToken: secret,
  tenantId: text,
  subject: text,
  ttlSeconds: i32,
  scope: text,
}));

/** A browser's token. */
export interface SessionAuthResponse {
  /** The JWT: a secret. Default: `""`. */
  readonly token: string;
  /** When it expires, in Unix milliseconds (int64). Default: 0. */
  readonly expiresAtMs: number;
  /** Why there is none. Default: `""`, there is one. */
  readonly errorMessage: string;
}

/** A browser's token. */
export const SessionAuthResponse: Message<SessionAuthResponse> = /* @__PURE__ */ message<
  SessionAuthResponse
>("SessionAuthResponse", () => ({
  token: secret,
  expiresAtMs: i64,
  errorMessage: text,
}));

/** Registers a service account's public key; a tenant may have several. */
export interface PublishServiceAccountRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The tenant that the key speaks for. Default: `""`. */
  readonly tenantId: string;
  /** The key's id, the `kid` of its tokens. Default: `""`. */
  readonly privateKeyId: string;
  /** The public key, SPKI in PEM. Default: `""`. */
  readonly publicKeyPem: string;
  /** `sdk` or `admin`. Default: `""`. */
  readonly role: string;
  /** When the key ends, in Unix milliseconds (int64). Default: 0, never. */
  readonly expiresAtMs: number;
}

/** Registers a service account's public key; a tenant may have several. */
export const PublishServiceAccountRequest: Message<PublishServiceAccountRequest> =
  /* @__PURE__ */ message<PublishServiceAccountRequest>(
    "PublishServiceAccountRequest",
    () => ({
      adminToken: secret,
      tenantId: text,
      privateKeyId: text,
      publicKeyPem: text,
      role: text,
      expiresAtMs: i64,
    }),
  );

/** Revokes a key: its tokens are refused and its sessions closed. */
export interface RevokeServiceAccountRequest {
  /** A token of an `admin` key: a secret. Default: `""`. */
  readonly adminToken: string;
  /** The tenant. Default: `""`. */
  readonly tenantId: string;
  /** The key's id. Default: `""`. */
  readonly privateKeyId: string;
}

/** Revokes a key: its tokens are refused and its sessions closed. */
export const RevokeServiceAccountRequest: Message<RevokeServiceAccountRequest> =
  /* @__PURE__ */ message<RevokeServiceAccountRequest>(
    "RevokeServiceAccountRequest",
    () => ({
      adminToken: secret,
      tenantId: text,
      privateKeyId: text,
    }),
  );

/** Makes the first tenant of a gateway. */
export interface BootstrapOrgRequest {
  /** Used up by the first success: a secret. Default: `""`. */
  readonly bootstrapSecret: string;
  /** Lower case, with dashes. Default: `""`. */
  readonly tenantId: string;
  /** Default: `""`. */
  readonly displayName: string;
  /** Default: `""`. */
  readonly region: string;
  /** The first admin key's public half, SPKI in PEM. Default: `""`. */
  readonly adminPublicKeyPem: string;
  /** That key's id. Default: `""`. */
  readonly adminPrivateKeyId: string;
}

/** Makes the first tenant of a gateway. */
export const BootstrapOrgRequest: Message<BootstrapOrgRequest> = /* @__PURE__ */ message<
  BootstrapOrgRequest
>("BootstrapOrgRequest", () => ({
  bootstrapSecret: secret,
  tenantId: text,
  displayName: text,
  region: text,
  adminPublicKeyPem: text,
  adminPrivateKeyId: text,
}));

/** Whether the tenant was made. */
export interface BootstrapOrgResponse {
  /** `ok` or `error`. Default: `""`. */
  readonly status: string;
  /** Why it was not. Default: `""`, it was. */
  readonly errorMessage: string;
  /** The tenant. Default: `""`. */
  readonly tenantId: string;
  /** When, in Unix milliseconds (int64). Default: 0. */
  readonly createdAtMs: number;
}

/** Whether the tenant was made. */
export const BootstrapOrgResponse: Message<BootstrapOrgResponse> = /* @__PURE__ */ message<
  BootstrapOrgResponse
>("BootstrapOrgResponse", () => ({
  status: text,
  errorMessage: text,
  tenantId: text,
  createdAtMs: i64,
}));
