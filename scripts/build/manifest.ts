import { root } from "../support/source.ts";

/** The parts of `deno.json` that the scripts need. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** The modules, by the door that importers write. */
  readonly exports: Readonly<Record<string, string>>;
  /** The files of data among what is exported, by their door: they are published as they are. */
  readonly data: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, string>>;
  readonly unstable: readonly string[];
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

/** Reads `deno.json`. */
export async function readManifest(): Promise<Manifest> {
  const { exports, ...rest } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  ) as Omit<Manifest, "data">;
  const doors = Object.entries(exports);
  const isData = ([door]: (typeof doors)[number]): boolean => door.endsWith(".json");
  return {
    ...rest,
    exports: Object.fromEntries(doors.filter((each) => !isData(each))),
    data: Object.fromEntries(doors.filter(isData)),
  };
}
