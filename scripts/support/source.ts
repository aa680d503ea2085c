import ts from "typescript";

/** The repository's folder, as a file URL that ends in a slash. */
export const root: URL = new URL("../../", import.meta.url);

/** TypeScript files by their path from the repository's folder, with their text. */
export type Sources = ReadonlyMap<string, string>;

/** Reads `.ts` files, in order of their paths. A folder is read with all that is under it; what does not exist is left out. */
export async function readSources(paths: readonly string[]): Promise<Sources> {
  const found: string[] = [];
  for (const path of paths) await collect(path, found);
  const sources = new Map<string, string>();
  for (const path of found.sort()) sources.set(path, await Deno.readTextFile(new URL(path, root)));
  return sources;
}

async function collect(path: string, found: string[]): Promise<void> {
  const info = await Deno.stat(new URL(path, root)).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (info?.isDirectory === true) {
    for await (const entry of Deno.readDir(new URL(path, root))) {
      await collect(`${path}/${entry.name}`, found);
    }
  } else if (info?.isFile === true && path.endsWith(".ts")) {
    found.push(path);
  }
}

/** Parses one file; the nodes know their parents. */
export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
}

/** Where a node stands, as `path:line`. */
export function place(node: ts.Node): string {
  const file = node.getSourceFile();
  return `${file.fileName}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

/** Visits a node and all that is under it, except what `skip` says. */
export function walk(
  node: ts.Node,
  visit: (node: ts.Node) => void,
  skip: (node: ts.Node) => boolean = () => false,
): void {
  if (skip(node)) return;
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit, skip));
}
