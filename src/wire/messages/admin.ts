/**
 * The admin API, except trunks. The methods for agent graphs are missing: their fields are not published.
 *
 * @module
 */

import { i32, i64, secret, text } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import { Empty } from "./call.ts";

/** Fields of {@linkcode ReloadCertificatesRequest}. */
export const reloadCertificatesRequest = {
  /** Absolute path on the gateway's host. Default: `""`. */
  certPath: text,
  /** Absolute path on the gateway's host. Default: `""`. */
  keyPath: text,
} as const;

/** Reloads the certificate of the gateway. Existing connections stay. */
export interface ReloadCertificatesRequest extends ValueOf<typeof reloadCertificatesRequest> {}

/** Reloads the certificate of the gateway. Existing connections stay. */
export const ReloadCertificatesRequest: Message<ReloadCertificatesRequest> =
  /* @__PURE__ */ message("ReloadCertificatesRequest", reloadCertificatesRequest);

/** Fields of {@linkcode ReloadCertificatesResponse}. */
export const reloadCertificatesResponse = {
  /** `ok` or `error`. Default: `""`. */
  status: text,
  /** Why it failed. Default: `""`, it succeeded. */
  errorMessage: text,
} as const;

/** Whether the certificate was loaded. If not, the old one stays. */
export interface ReloadCertificatesResponse extends ValueOf<typeof reloadCertificatesResponse> {}

/** Whether the certificate was loaded. If not, the old one stays. */
export const ReloadCertificatesResponse: Message<ReloadCertificatesResponse> =
  /* @__PURE__ */ message("ReloadCertificatesResponse", reloadCertificatesResponse);

/** Fields of {@linkcode SessionAuthRequest}. */
export const sessionAuthRequest = {
  /** A token of an `admin` key: a secret. Default: `""`. */
  adminToken: secret,
  /** The tenant that the browser's token is for. Default: `""`. */
  tenantId: text,
  /** The end user, free-form. Default: `""`. */
  subject: text,
  /** Lifetime in seconds; the gateway limits it to 300 (int32). Default: 0. */
  ttlSeconds: i32,
  /** The scopes that it grants, separated by spaces: `call.dial call.barge`. Default: `""`. */
  scope: text,
} as const;

/** Requests a browser's token. */
export interface SessionAuthRequest extends ValueOf<typeof sessionAuthRequest> {}

/** Requests a browser's token. */
export const SessionAuthRequest: Message<SessionAuthRequest> = /* @__PURE__ */ message(
  "SessionAuthRequest",
  sessionAuthRequest,
);

/** Fields of {@linkcode SessionAuthResponse}. */
export const sessionAuthResponse = {
  /** The JWT: a secret. Default: `""`. */
  token: secret,
  /** When it expires, in Unix milliseconds (int64). Default: 0. */
  expiresAtMs: i64,
  /** Why the request was refused. Default: `""`, it was not. */
  errorMessage: text,
} as const;

/** A browser's token. */
export interface SessionAuthResponse extends ValueOf<typeof sessionAuthResponse> {}

/** A browser's token. */
export const SessionAuthResponse: Message<SessionAuthResponse> = /* @__PURE__ */ message(
  "SessionAuthResponse",
  sessionAuthResponse,
);

/** Fields of {@linkcode PublishServiceAccountRequest}. */
export const publishServiceAccountRequest = {
  /** A token of an `admin` key: a secret. Default: `""`. */
  adminToken: secret,
  /** The tenant that the key belongs to. Default: `""`. */
  tenantId: text,
  /** The key's id, the `kid` of its tokens. Default: `""`. */
  privateKeyId: text,
  /** The public key, SPKI in PEM. Default: `""`. */
  publicKeyPem: text,
  /** `sdk` or `admin`. Default: `""`. */
  role: text,
  /** When the key expires, in Unix milliseconds (int64). Default: 0, never. */
  expiresAtMs: i64,
} as const;

/** Registers a service account's public key; a tenant may have several. */
export interface PublishServiceAccountRequest
  extends ValueOf<typeof publishServiceAccountRequest> {}

/** Registers a service account's public key; a tenant may have several. */
export const PublishServiceAccountRequest: Message<PublishServiceAccountRequest> =
  /* @__PURE__ */ message("PublishServiceAccountRequest", publishServiceAccountRequest);

/** Fields of {@linkcode RevokeServiceAccountRequest}. */
export const revokeServiceAccountRequest = {
  /** A token of an `admin` key: a secret. Default: `""`. */
  adminToken: secret,
  /** The tenant. Default: `""`. */
  tenantId: text,
  /** The key's id. Default: `""`. */
  privateKeyId: text,
} as const;

/** Revokes a key: its tokens are refused and its sessions closed. */
export interface RevokeServiceAccountRequest extends ValueOf<typeof revokeServiceAccountRequest> {}

/** Revokes a key: its tokens are refused and its sessions closed. */
export const RevokeServiceAccountRequest: Message<RevokeServiceAccountRequest> =
  /* @__PURE__ */ message("RevokeServiceAccountRequest", revokeServiceAccountRequest);

/** Fields of {@linkcode BootstrapOrgRequest}. */
export const bootstrapOrgRequest = {
  /** A secret that the gateway accepts until the first success. Default: `""`. */
  bootstrapSecret: secret,
  /** Lower case, with dashes. Default: `""`. */
  tenantId: text,
  /** Default: `""`. */
  displayName: text,
  /** Default: `""`. */
  region: text,
  /** The first admin key's public half, SPKI in PEM. Default: `""`. */
  adminPublicKeyPem: text,
  /** That key's id. Default: `""`. */
  adminPrivateKeyId: text,
} as const;

/** Creates the first tenant of a gateway. */
export interface BootstrapOrgRequest extends ValueOf<typeof bootstrapOrgRequest> {}

/** Creates the first tenant of a gateway. */
export const BootstrapOrgRequest: Message<BootstrapOrgRequest> = /* @__PURE__ */ message(
  "BootstrapOrgRequest",
  bootstrapOrgRequest,
);

/** Fields of {@linkcode BootstrapOrgResponse}. */
export const bootstrapOrgResponse = {
  /** `ok` or `error`. Default: `""`. */
  status: text,
  /** Why it failed. Default: `""`, it succeeded. */
  errorMessage: text,
  /** The tenant. Default: `""`. */
  tenantId: text,
  /** When it was created, in Unix milliseconds (int64). Default: 0. */
  createdAtMs: i64,
} as const;

/** Whether the tenant was created. */
export interface BootstrapOrgResponse extends ValueOf<typeof bootstrapOrgResponse> {}

/** Whether the tenant was created. */
export const BootstrapOrgResponse: Message<BootstrapOrgResponse> = /* @__PURE__ */ message(
  "BootstrapOrgResponse",
  bootstrapOrgResponse,
);

/** Reloads the certificate of the gateway. */
export const ReloadCertificates = {
  name: "ReloadCertificates",
  id: 3357922138,
  request: ReloadCertificatesRequest,
  reply: ReloadCertificatesResponse,
} as const;

/** Requests a browser's token. */
export const SessionAuth = {
  name: "SessionAuth",
  id: 4005695856,
  request: SessionAuthRequest,
  reply: SessionAuthResponse,
} as const;

/** Registers a public key. */
export const PublishServiceAccount = {
  name: "PublishServiceAccount",
  id: 4272549352,
  request: PublishServiceAccountRequest,
  reply: Empty,
} as const;

/** Revokes a public key. */
export const RevokeServiceAccount = {
  name: "RevokeServiceAccount",
  id: 1288924258,
  request: RevokeServiceAccountRequest,
  reply: Empty,
} as const;

/** Creates the first tenant of a gateway. */
export const BootstrapOrg = {
  name: "BootstrapOrg",
  id: 4016330056,
  request: BootstrapOrgRequest,
  reply: BootstrapOrgResponse,
} as const;
