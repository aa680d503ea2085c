import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for one test: `await using folder = await temporaryFolder()`. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of something in it. */
  at(name: string): string;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "telequick-test-"));
  return {
    path,
    at: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
