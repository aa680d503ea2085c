import { root } from "../support/source.ts";

/** The parts of `deno.json` that the scripts need. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, string>>;
  readonly unstable: readonly string[];
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

/** Files of the npm package that are data, by the door that importers write: they are copied as they are. */
export const dataFiles: Readonly<Record<string, string>> = {
  "./gateway/phone-script.schema.json": "src/gateway/phone_script.schema.json",
};

/** Reads `deno.json`. */
export async function readManifest(): Promise<Manifest> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
}
