import { root } from "./source.ts";

const folders = ["src", "tests", ".github"];

/** Markdown pages by their path from the repository's folder: README.md, CHANGELOG.md, and those of the rooms, tests and .github. */
export async function readPages(): Promise<ReadonlyMap<string, string>> {
  const found = ["README.md", "CHANGELOG.md"];
  for (const folder of folders) await collect(folder, found);
  const pages = new Map<string, string>();
  for (const path of found) pages.set(path, await Deno.readTextFile(new URL(path, root)));
  return pages;
}

async function collect(folder: string, found: string[]): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}/${name}`;
    if (isDirectory && path !== "tests/vectors") await collect(path, found);
    else if (name.endsWith(".md")) found.push(path);
  }
}
