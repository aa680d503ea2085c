import ts from "typescript";
import { parse, type Sources, walk } from "../../support/source.ts";

/** One use of a global, or of something below one. */
export interface GlobalAccess {
  /** Where it is written. */
  readonly node: ts.Node;
  /** What is used, as far as it can be followed: `Deno.env.get`; `globalThis` is the global object itself. */
  readonly path: string;
  /** Whether the value only goes into a name that is followed, or into `typeof`; otherwise anything may happen to it from there. */
  readonly tracked: boolean;
}

/** A dotted name from the global object down; empty for the global object itself. */
type Path = string;

/** What names hold, in one branch or another. */
type Aliases = Map<ts.Symbol, Set<Path>>;

const globalObjects = new Set(["globalThis", "self", "window", "global"]);

// `let node = node.next ?? globalThis` would hold longer and longer paths.
const deepest = 6;

/**
 * Finds every use of a global in files: values only, never types, property names or local bindings of the same name.
 * Followed are `globalThis.x`, `globalThis["x"]`, `"x" in globalThis`, casts, defaults, and names that hold a global
 * (`const scope = globalThis as Scope`, `const { subtle } = crypto`, `function f(clock = Date)`).
 */
export function globalAccesses(files: Sources): GlobalAccess[] {
  return bind(files).flatMap(accessesOf);
}

/** Parses files and lets the compiler note in every scope what is declared there. No type is looked at. */
function bind(files: Sources): readonly ts.SourceFile[] {
  const parsed = new Map([...files].map(([path, text]) => [path, parse(path, text)]));
  const options = { noLib: true, noResolve: true, types: [], target: ts.ScriptTarget.ESNext };
  const program = ts.createProgram([...parsed.keys()], options, {
    getSourceFile: (path) => parsed.get(path),
    fileExists: (path) => parsed.has(path),
    readFile: (path) => files.get(path),
    writeFile: () => {},
    getDefaultLibFileName: () => "",
    getCurrentDirectory: () => "",
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
  });
  program.getTypeChecker();
  return [...parsed.values()];
}

/** What the compiler notes on a node, but does not show in its public types. */
interface Scope {
  readonly locals?: ts.SymbolTable;
}

/** The declaration that a name means where it is written; `undefined` for a global. */
function declared(name: ts.Identifier): ts.Symbol | undefined {
  const key = ts.escapeLeadingUnderscores(name.text);
  for (let node: ts.Node = name; node !== undefined; node = node.parent) {
    const found = (node as Scope).locals?.get(key);
    // An ambient declaration only declares a global.
    if (found?.declarations?.every(isAmbient) === false) return found;
  }
  return undefined;
}

function isAmbient(node: ts.Declaration): boolean {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ||
    (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Ambient) !== 0;
}

function accessesOf(file: ts.SourceFile): GlobalAccess[] {
  const aliases: Aliases = new Map();
  // A name that holds a global may be read above the line that fills it: look again until no new one turns up.
  while (true) {
    const known = count(aliases);
    const accesses = look(file, aliases);
    if (count(aliases) === known) return accesses;
  }
}

function count(aliases: Aliases): number {
  return [...aliases.values()].reduce((sum, paths) => sum + paths.size, 0);
}

function look(file: ts.SourceFile, aliases: Aliases): GlobalAccess[] {
  const accesses: GlobalAccess[] = [];
  const add = (node: ts.Node, path: Path, tracked: boolean): void => {
    if (path !== "") accesses.push({ node, path, tracked });
    else if (!tracked) accesses.push({ node, path: "globalThis", tracked });
  };

  /** Gives what a declaration receives to the names that it declares. */
  const assign = (name: ts.BindingName, path: Path): void => {
    if (ts.isIdentifier(name)) {
      const symbol = declared(name);
      if (symbol !== undefined && path.split(".").length <= deepest) {
        aliases.set(symbol, (aliases.get(symbol) ?? new Set()).add(path));
      }
      return add(name, path, true);
    }
    for (const element of name.elements) {
      if (!ts.isBindingElement(element)) continue;
      const key = element.propertyName ?? element.name;
      const known = element.dotDotDotToken === undefined && ts.isObjectBindingPattern(name) &&
        (ts.isIdentifier(key) || ts.isStringLiteral(key));
      if (known) assign(element.name, below(path, key.text));
      else add(element, path, false);
    }
  };

  walk(file, (node) => {
    if (!ts.isIdentifier(node) || !isReference(node)) return;
    for (const start of pathsOf(node, aliases)) {
      const { end, path } = follow(node, start);
      if (isFilled(end.parent, end)) assign(end.parent.name, path);
      else if (path === "Date" && isMoment(end)) add(node, "new Date()", false);
      else add(node, path, ts.isTypeOfExpression(end.parent));
    }
  }, isErased);
  return accesses;
}

/** Types, and declarations without a run time; a class's `extends` runs. */
export function isErased(node: ts.Node): boolean {
  if (ts.isExpressionWithTypeArguments(node)) {
    return !ts.isHeritageClause(node.parent) ||
      node.parent.token !== ts.SyntaxKind.ExtendsKeyword ||
      ts.isInterfaceDeclaration(node.parent.parent);
  }
  return ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) || ts.isModuleDeclaration(node) ||
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node);
}

/** Whether an identifier stands for a value, and does not name a property, a declaration or a label. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false;
  if (ts.isBreakOrContinueStatement(parent) || ts.isLabeledStatement(parent)) return false;
  if (ts.isMetaProperty(parent)) return false;
  return (parent as ts.Node & { readonly name?: ts.Node }).name !== node;
}

/** What an identifier may stand for; nothing when it is a local name of something else. */
function pathsOf(node: ts.Identifier, aliases: Aliases): Iterable<Path> {
  const symbol = declared(node);
  if (symbol === undefined) return [below("", node.text)];
  return aliases.get(symbol) ?? [];
}

function below(path: Path, name: string): Path {
  if (path !== "") return `${path}.${name}`;
  return globalObjects.has(name) ? "" : name;
}

/** Follows a value outward as long as the expression around it is the value itself or a property of it. */
function follow(start: ts.Node, from: Path): { readonly end: ts.Node; readonly path: Path } {
  let path = from;
  let end = start;
  while (true) {
    const { parent } = end;
    const name = nameBelow(parent, end);
    if (name !== undefined) path = below(path, name);
    else if (!isSameValue(parent, end)) return { end, path };
    end = parent;
  }
}

/** Whether `Date` is asked for the present moment. */
function isMoment(date: ts.Node): boolean {
  const { parent } = date;
  if (ts.isCallExpression(parent)) return parent.expression === date;
  return ts.isNewExpression(parent) && parent.expression === date &&
    (parent.arguments === undefined || parent.arguments.length === 0);
}

function nameBelow(parent: ts.Node, inner: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(parent) && parent.expression === inner) return parent.name.text;
  if (ts.isElementAccessExpression(parent) && parent.expression === inner) {
    return ts.isStringLiteralLike(parent.argumentExpression)
      ? parent.argumentExpression.text
      : undefined;
  }
  if (
    ts.isBinaryExpression(parent) && parent.right === inner &&
    parent.operatorToken.kind === ts.SyntaxKind.InKeyword && ts.isStringLiteralLike(parent.left)
  ) return parent.left.text;
  return undefined;
}

function isSameValue(parent: ts.Node, inner: ts.Node): boolean {
  if (
    ts.isParenthesizedExpression(parent) || ts.isAsExpression(parent) ||
    ts.isSatisfiesExpression(parent) || ts.isNonNullExpression(parent) ||
    ts.isTypeAssertionExpression(parent)
  ) return true;
  if (ts.isConditionalExpression(parent)) return parent.condition !== inner;
  if (!ts.isBinaryExpression(parent)) return false;
  const operator = parent.operatorToken.kind;
  return operator === ts.SyntaxKind.QuestionQuestionToken ||
    operator === ts.SyntaxKind.BarBarToken ||
    (operator === ts.SyntaxKind.AmpersandAmpersandToken && parent.right === inner);
}

/** Whether a declaration is filled with a value: a variable, a parameter or a part of a pattern, by its initializer. */
function isFilled(
  parent: ts.Node,
  value: ts.Node,
): parent is ts.VariableDeclaration | ts.ParameterDeclaration | ts.BindingElement {
  return (ts.isVariableDeclaration(parent) || ts.isParameter(parent) ||
    ts.isBindingElement(parent)) && parent.initializer === value;
}
