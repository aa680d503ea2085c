/**
 * The page's files: which there are, and where. `deno task panel` makes them in a clone; the npm package has them.
 *
 * @module
 */

import { readFile } from "node:fs/promises";

/** A file that is served. */
export interface PageFile {
  readonly contentType: string;
  /** Its bytes. Rejects when it is gone. */
  read(): Promise<Uint8Array>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

// Beside this module in the source, and beside the module that it is built into.
const site = new URL("./site/", import.meta.url);

/**
 * Finds the page's files by the path under which they are served. Nothing else is ever read: the list is made with the files.
 *
 * @param folder Where `files.json` is. Default: beside this module.
 * @returns `undefined` when they were not made.
 */
export async function findPageFiles(
  folder: URL = site,
): Promise<ReadonlyMap<string, PageFile> | undefined> {
  let list: Readonly<Record<string, string>>;
  try {
    list = JSON.parse(new TextDecoder().decode(await load(new URL("files.json", folder))));
  } catch {
    return undefined;
  }
  return new Map(
    Object.entries(list).map(([path, file]) => [path, {
      contentType: CONTENT_TYPES[file.replace(/.*\./, "")] ?? "application/octet-stream",
      read: () => load(new URL(file, folder)),
    }]),
  );
}

/** A file of the machine, or of the registry that the module came from. */
async function load(url: URL): Promise<Uint8Array> {
  if (url.protocol === "file:") return await readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} has status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
