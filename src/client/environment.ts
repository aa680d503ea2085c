/**
 * What a client takes from environment variables in Deno, Bun and Node: the only reader of them beside the one of credentials.
 *
 * @module
 */

/** What the environment says. */
export interface Environment {
  /** `TELEQUICK_ENDPOINT`: where the gateway is. */
  readonly endpoint: string | undefined;
  /** `TELEQUICK_CERTIFICATE_HASH`: its certificate, or several separated by commas, where the endpoint comes from the environment too. */
  readonly certificateHash: string | undefined;
  /** `TELEQUICK_TRUNK`: the trunk that calls leave by. */
  readonly trunkId: string | undefined;
  /** Whether this program lacks the permission to read it: Deno without `--allow-env`. */
  readonly isClosed: boolean;
}

interface HostGlobals {
  readonly Deno?: { readonly env?: { get(name: string): string | undefined } };
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/** Reads the variables. What is empty counts as not set, and so does everything where there is no environment or no permission. */
export function readEnvironment(): Environment {
  const { Deno, process } = globalThis as HostGlobals;
  let isClosed = false;
  const variable = (name: string): string | undefined => {
    try {
      return (Deno?.env?.get(name) ?? process?.env?.[name]) || undefined;
    } catch {
      isClosed = true;
      return undefined;
    }
  };
  return {
    endpoint: variable("TELEQUICK_ENDPOINT"),
    certificateHash: variable("TELEQUICK_CERTIFICATE_HASH"),
    trunkId: variable("TELEQUICK_TRUNK"),
    isClosed,
  };
}
