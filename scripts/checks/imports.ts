/**
 * Which room can import which: the floors, rooms and doors, checked on every import of `mod.ts` and `src/`.
 * `deno run -A scripts/checks/imports.ts [--table]`
 *
 * @module
 */

import ts from "typescript";
import { rooms } from "./rooms.ts";
import { findCycles } from "./support/cycles.ts";
import { parse, place, readSources, type Sources, walk } from "../support/source.ts";
import { conclude, print } from "../support/terminal.ts";

/** Suites that see the package as its users do: by its name, never by a path into it. */
const outsiders = "tests/conformance/";

interface Import {
  readonly node: ts.Node;
  /** `undefined` when it is computed. */
  readonly specifier: string | undefined;
}

/**
 * Checks the import table.
 *
 * @param files Texts by path from the repository's folder: `mod.ts`, `src/` and the conformance tests.
 * @returns What breaks the table, one sentence each: place, rule, what to do.
 */
export function checkImports(files: Sources): string[] {
  const parsed = new Map([...files].map(([path, text]) => [path, parse(path, text)]));
  const violations: string[] = [];
  const edges = new Map<string, Set<string>>();
  for (const [path, file] of parsed) {
    const judge = path.startsWith(outsiders) ? judgeOutsider : judgeImport;
    const targets = new Set<string>();
    edges.set(path, targets);
    for (const found of importsOf(file)) {
      const target = found.specifier === undefined ? undefined : resolve(path, found.specifier);
      if (target !== undefined) targets.add(target);
      const wrong = judge(path, target, found, parsed);
      if (wrong !== undefined) violations.push(`${place(found.node)}: ${wrong}`);
    }
    const { gathers = [] } = rooms[roomOf(path) ?? ""] ?? {};
    if (/^(src\/[^/]+\/)?mod\.ts$/.test(path)) violations.push(...judgeDoor(file, gathers));
    if (gathers.includes(path)) violations.push(...judgeGathered(file));
    violations.push(...judgeReferences(file));
  }
  for (const cycle of findCycles(edges)) {
    violations.push(
      `${cycle[0]}:1: import cycle: ${
        cycle.join(" -> ")
      } (move what they share into a file of its own)`,
    );
  }
  return violations;
}

function importsOf(file: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined): void => {
    const text = specifier !== undefined && ts.isStringLiteralLike(specifier);
    found.push({ node, specifier: text ? specifier.text : undefined });
  };
  walk(file, (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier);
    else if (ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) add(node, node.moduleSpecifier);
    } else if (ts.isExternalModuleReference(node)) add(node, node.expression);
    else if (ts.isImportTypeNode(node)) {
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0]);
    }
  });
  return found;
}

/** The path that a relative specifier means; `undefined` for what comes from elsewhere. */
function resolve(path: string, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function judgeOutsider(path: string, target: string | undefined): string | undefined {
  if (target === undefined || (target !== "mod.ts" && !target.startsWith("src/"))) return undefined;
  return `${path} is to run against every build and imports ${target} by its path (import the package by its name)`;
}

function judgeImport(
  path: string,
  target: string | undefined,
  { specifier, node }: Import,
  files: ReadonlyMap<string, ts.SourceFile>,
): string | undefined {
  const name = roomOf(path);
  if (name === undefined) {
    return `${path} is in no room, so nothing says what it may import (give it a room in the import table)`;
  }
  const room = rooms[name]!;
  if (specifier === undefined) {
    return `import() of a computed specifier hides what ${name} imports (write the specifier out)`;
  }
  if (target === undefined) {
    const { outside } = room;
    if (outside !== undefined && specifier.startsWith(outside)) return undefined;
    return `"${specifier}" is from outside the repository, of which ${name} may import ${
      outside === undefined ? "nothing" : `only ${outside}*`
    } (write it here, or probe for the runtime's own API)`;
  }
  const other = roomOf(target);
  if (other === undefined) return `${target} is in no room (move it into one)`;
  const back = rooms[other]!.backDoors?.[target];
  if (back !== undefined) {
    if (back.includes(name)) return undefined;
    return `${target} is a back door for ${back.join(" and ")}, not for ${name}`;
  }
  if (other === name) return judgeInside(name, path, target);
  const constants = room.constantsOf?.includes(other) === true;
  if (!constants && !room.mayImport.includes(other)) return refuse(name, other);
  const { path: otherPath, isOpen = false } = rooms[other]!;
  if (!isOpen && otherPath.endsWith("/") && target !== `${otherPath}mod.ts`) {
    return `${name} reaches into ${target} (enter ${other} through ${otherPath}mod.ts)`;
  }
  return constants ? judgeConstants(node, target, files) : undefined;
}

function roomOf(path: string): string | undefined {
  return Object.keys(rooms).find((name) => {
    const room = rooms[name]!;
    return room.path.endsWith("/") ? path.startsWith(room.path) : path === room.path;
  });
}

/** Inside a room imports lead down its own floors. */
function judgeInside(name: string, path: string, target: string): string | undefined {
  const { inside, path: folder } = rooms[name]!;
  if (inside === undefined) return undefined;
  const from = subRoomOf(inside, path.slice(folder.length));
  const to = subRoomOf(inside, target.slice(folder.length));
  if (from === undefined || to === undefined) {
    const lost = from === undefined ? path : target;
    return `${lost} is on no floor of ${name} (give it one in the import table)`;
  }
  if (from.name === to.name || from.floor > to.floor) return undefined;
  return from.floor === to.floor
    ? `${path} and ${target} are on one floor of ${name} (move what both need to a lower floor)`
    : `${path} imports ${target}, which is above it in ${name} (move the type or the function down)`;
}

function subRoomOf(
  inside: readonly (readonly string[])[],
  path: string,
): { readonly floor: number; readonly name: string } | undefined {
  for (const [floor, rooms] of inside.entries()) {
    const name = rooms.find((room) =>
      room.split(" ").some((place) => place.endsWith("/") ? path.startsWith(place) : path === place)
    );
    if (name !== undefined) return { floor, name };
  }
  return undefined;
}

function refuse(name: string, other: string): string {
  const room = rooms[name]!;
  const list = [...room.mayImport, ...room.constantsOf ?? []].join(", ") || "nothing";
  return room.floor === rooms[other]!.floor
    ? `${name} and ${other} are on floor ${room.floor} and never look at each other (move what both need to a lower floor)`
    : `${name} may not import ${other}, it may import ${list} (move what is needed to a lower floor)`;
}

/** Finds the first name in an import or re-export that is neither a type nor a constant where it is declared. */
function judgeConstants(
  node: ts.Node,
  target: string,
  files: ReadonlyMap<string, ts.SourceFile>,
): string | undefined {
  if (ts.isExportDeclaration(node) && node.isTypeOnly) return undefined;
  if (ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause)) {
    const bad = node.exportClause.elements.find((element) =>
      !element.isTypeOnly && !isConstant(target, (element.propertyName ?? element.name).text, files)
    );
    if (bad === undefined) return undefined;
    return `${bad.name.text} of ${target} is neither a type nor a constant, which is all that may be taken from there`;
  }
  return `only named re-exports of types and constants may be taken from ${target}`;
}

/** Follows a name through re-exports to its declaration: a `const` that holds no function. */
function isConstant(
  path: string,
  name: string,
  files: ReadonlyMap<string, ts.SourceFile>,
): boolean {
  const statements: readonly ts.Statement[] = files.get(path)?.statements ?? [];
  let local = name;
  for (const { exportClause, moduleSpecifier } of statements.filter(ts.isExportDeclaration)) {
    if (exportClause === undefined) {
      const next = resolve(path, (moduleSpecifier as ts.StringLiteral).text);
      if (next !== undefined && isConstant(next, name, files)) return true;
      continue;
    }
    if (!ts.isNamedExports(exportClause)) continue;
    const element = exportClause.elements.find((each) => each.name.text === name);
    if (element === undefined) continue;
    local = (element.propertyName ?? element.name).text;
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) continue;
    const next = resolve(path, moduleSpecifier.text);
    return next !== undefined && isConstant(next, local, files);
  }
  return statements.filter(ts.isVariableStatement).some(({ declarationList }) =>
    (declarationList.flags & ts.NodeFlags.Const) !== 0 &&
    declarationList.declarations.some((each) =>
      ts.isIdentifier(each.name) && each.name.text === local &&
      each.initializer !== undefined && !ts.isFunctionLike(each.initializer)
    )
  );
}

/** A door is a list of names: nothing is declared there, nothing runs, and a star exports only what the table says. */
function judgeDoor(file: ts.SourceFile, gathers: readonly string[]): string[] {
  return file.statements.filter((statement) => {
    const source = sourceOf(statement);
    return source === undefined || !(isNamed(statement) || gathers.includes(source));
  }).map((statement) =>
    `${
      place(statement)
    }: a door holds nothing but export { names } from "./file.ts", or export * from a file ` +
    `that the import table gathers, found: ${firstLine(statement)}`
  );
}

/** What a door gathers by a star holds only exports from files of its own room. */
function judgeGathered(file: ts.SourceFile): string[] {
  return file.statements.filter((statement) => {
    const source = sourceOf(statement);
    return source === undefined || roomOf(source) !== roomOf(file.fileName);
  }).map((statement) =>
    `${
      place(statement)
    }: a gathered file holds nothing but exports from files of its room, found: ${
      firstLine(statement)
    }`
  );
}

/** The file that a statement exports from; `undefined` for every other statement. */
function sourceOf(statement: ts.Statement): string | undefined {
  if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) {
    return undefined;
  }
  const specifier = statement.moduleSpecifier as ts.StringLiteral;
  return resolve(statement.getSourceFile().fileName, specifier.text);
}

function isNamed(statement: ts.Statement): boolean {
  return ts.isExportDeclaration(statement) && statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause);
}

function firstLine(node: ts.Node): string {
  return node.getText().split("\n")[0]!;
}

/** `/// <reference>` brings in what no import shows. */
function judgeReferences(file: ts.SourceFile): string[] {
  return [
    ...file.referencedFiles,
    ...file.typeReferenceDirectives,
    ...file.libReferenceDirectives,
  ].map(({ fileName, pos }) => {
    const line = file.getLineAndCharacterOfPosition(pos).line + 1;
    return `${file.fileName}:${line}: a reference to "${fileName}" is an import that hides (declare the part that is used)`;
  });
}

/** The import table as text: each room with its floor, what it imports, and its own floors from the lowest up. */
function describeRooms(): string {
  return Object.entries(rooms).toSorted(([, a], [, b]) => a.floor - b.floor).map(([name, room]) => {
    const { floor, mayImport, constantsOf = [], outside, inside = [] } = room;
    const imports = [
      ...mayImport,
      ...constantsOf.map((other) => `constants of ${other}`),
      ...(outside === undefined ? [] : [`${outside}*`]),
    ];
    const lines = [`${floor} ${name} <- ${imports.join(", ") || "nothing"}`];
    if (inside.length > 0) lines.push(`    ${inside.map((floor) => floor.join(", ")).join(" < ")}`);
    return lines.join("\n");
  }).join("\n");
}

if (import.meta.main) {
  if (Deno.args.includes("--table")) print(describeRooms());
  const files = await readSources(["mod.ts", "src", outsiders.slice(0, -1)]);
  conclude("imports", `${files.size} files`, checkImports(files));
}
