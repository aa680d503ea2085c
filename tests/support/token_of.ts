import type { AuthenticateRequest } from "../../src/wire/mod.ts";

/** The token in the fields of an `Authenticate` request. */
export function tokenOf(request: unknown): string {
  return (request as AuthenticateRequest).token;
}
