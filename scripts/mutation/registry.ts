/**
 * Stands for `node:test` in the copy that mutants run in: it keeps the tests, so that one process can run them as often as there are
 * mutants. Hooks run once a process. What `node:test` has and the tests do not use is left out.
 *
 * @module
 */

/** A test that was registered. */
export interface RegisteredTest {
  readonly name: string;
  /** Runs the hooks of its groups that have not run yet, then the test. */
  run(): Promise<unknown>;
}

type Body = (context?: unknown) => unknown;

interface Group {
  readonly name: string;
  readonly hooks: Body[];
}

const groups: Group[] = [];

/** All tests that were registered, in their order. */
export const registered: RegisteredTest[] = [];

function bodyOf(given: readonly unknown[]): Body {
  const body = given.find((value) => typeof value === "function");
  return body === undefined ? () => {} : body as Body;
}

/** Opens a group. */
export function describe(name: string, ...rest: readonly unknown[]): void {
  groups.push({ name, hooks: [] });
  bodyOf(rest)();
  groups.pop();
}

/** Registers a test. */
export function it(name: string, ...rest: readonly unknown[]): void {
  const body = bodyOf(rest);
  const around = [...groups];
  const context = { name, skip: () => {}, diagnostic: () => {} };
  registered.push({
    name: [...around.map((group) => group.name), name].join(" > "),
    run: async () => {
      for (const { hooks } of around) {
        for (let hook = hooks.shift(); hook !== undefined; hook = hooks.shift()) await hook();
      }
      await body(context);
    },
  });
}

export { it as test };

const outside: Group = { name: "", hooks: [] };

/** Registers what runs before the group's first test. */
export function before(hook: Body): void {
  (groups.at(-1) ?? outside).hooks.push(hook);
}

/** Does nothing: a process runs its tests again and again, and ends without them. */
export function after(_hook: Body): void {}
