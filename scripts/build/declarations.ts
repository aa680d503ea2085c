import ts from "typescript";
import { parse, root, walk } from "../support/source.ts";

/**
 * Writes the declarations of modules and of all that these need, with `.js` specifiers.
 *
 * @param entries Paths from the repository's folder.
 * @param mayNeedNode Whether a module, by its path, may use Node's types: what is wrong in it is left to `deno check`.
 * @returns Texts by the declaration's path from the repository's folder.
 * @throws `Error` with the compiler's words when another module does not compile with the DOM's types alone.
 */
export function emitDeclarations(
  entries: readonly string[],
  mayNeedNode: (path: string) => boolean,
): ReadonlyMap<string, string> {
  const folder = root.pathname;
  const options: ts.CompilerOptions = {
    declaration: true,
    emitDeclarationOnly: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ESNext,
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: [],
    rootDir: folder,
    outDir: folder,
  };
  const program = ts.createProgram(entries.map((path) => folder + path), options);
  const complaints = ts.getPreEmitDiagnostics(program).filter(({ file }) =>
    file === undefined || !mayNeedNode(file.fileName.slice(folder.length))
  );
  if (complaints.length > 0) {
    throw new Error(ts.formatDiagnostics(complaints, {
      getCurrentDirectory: () => folder,
      getCanonicalFileName: (path) => path,
      getNewLine: () => "\n",
    }));
  }
  const written = new Map<string, string>();
  program.emit(
    undefined,
    (path, text) => written.set(path.slice(folder.length), text),
    undefined,
    true,
    { afterDeclarations: [renameSpecifiers] },
  );
  const needed = reachable(entries.map((path) => path.replace(/\.ts$/, ".d.ts")), written);
  return new Map([...needed].map(([path, text]) => [path, supplement(text)]));
}

/**
 * What a declaration adds for globals that not every consumer's types have. `@types/node` 20 has no global `CryptoKey`, only keys that
 * `crypto` makes; a consumer with `lib: ["es2022"]` has neither. An empty interface merges with a whole one, and is all there is without it.
 */
const globals: Readonly<Record<string, string>> = {
  CryptoKey: `// @ts-ignore: without Web Crypto in the consumer's types a key is any value
type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
`,
  AbortSignal: `declare global {
  interface AbortSignal {}
}
`,
};

/** Adds what a declaration names and not every consumer's types have, and writes types as every compiler since 5.4 reads them. */
function supplement(text: string): string {
  const head = /\b(?:asyncDispose|AsyncDisposable)\b/.test(text)
    ? '/// <reference lib="esnext.disposable" />\n'
    : "";
  const tail = Object.entries(globals).filter(([name]) => new RegExp(`\\b${name}\\b`).test(text))
    .map(([, added]) => added).join("");
  return head + withPlainArrays(text) + tail;
}

/** Typed arrays are generic since TypeScript 5.7. What `slice()` returns is the array over an `ArrayBuffer` there, and the plain one before. */
function withPlainArrays(text: string): string {
  const array = "((?:Uint|Int|Float)[0-9]+(?:Clamped)?Array)";
  return text
    // A function that fills the array it is given, and returns it.
    .replace(
      new RegExp(`<B extends ArrayBufferLike = ArrayBuffer>\\(([^)]*)\\): ${array}<B>`, "g"),
      (_, parameters: string, name: string) =>
        `<B extends ${name} = ${name}<ArrayBuffer>>(${parameters.replace(`${name}<B>`, "B")}): B`,
    )
    // One that gives an array over the buffer that it is given, or over a new one.
    .replace(
      /^(export declare function \w+)<B extends ArrayBufferLike>(\(.*\): .*);$/gm,
      (_, head: string, signature: string) =>
        ["ArrayBuffer", "ArrayBufferLike"].map((buffer) =>
          `${head}${signature.replace(/<B( \| ArrayBuffer)?>/g, `<${buffer}>`)};`
        ).join("\n"),
    )
    .replace(new RegExp(`\\b${array}<ArrayBuffer>`, "g"), 'ReturnType<$1["slice"]>')
    .replace(new RegExp(`\\b${array}<ArrayBufferLike>`, "g"), "$1");
}

/** The declarations that can be got to from some of them. */
function reachable(
  from: readonly string[],
  all: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    const text = all.get(path);
    if (text === undefined) throw new Error(`Cannot write declarations: ${path} is missing`);
    if (found.has(path)) return;
    found.set(path, text);
    for (const specifier of specifiersOf(path, text)) {
      const target = new URL(specifier, new URL(path, root)).pathname.slice(root.pathname.length);
      visit(target.replace(/\.js$/, ".d.ts"));
    }
  };
  from.forEach(visit);
  return new Map([...found].sort());
}

/** The files that a declaration imports or exports from. `ts.preProcessFile` does not see `export * as name from`. */
function specifiersOf(path: string, text: string): readonly string[] {
  const specifiers: string[] = [];
  walk(parse(path, text), (node) => {
    const specifier = ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
      ? node.argument.literal
      : undefined;
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    if (/^\.{1,2}\//.test(specifier.text)) specifiers.push(specifier.text);
  });
  return specifiers;
}

/** Lets declarations import `./file.js`, where the source imports `./file.ts`. */
const renameSpecifiers: ts.TransformerFactory<ts.SourceFile | ts.Bundle> = (context) => {
  const visit = (node: ts.Node): ts.Node => {
    if (ts.isStringLiteral(node) && /^\.{1,2}\/.*\.ts$/.test(node.text)) {
      return context.factory.createStringLiteral(node.text.replace(/\.ts$/, ".js"));
    }
    return ts.visitEachChild(node, visit, context);
  };
  return (file) => ts.visitEachChild(file, visit, context);
};
