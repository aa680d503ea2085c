/** One test or step that holds no others. */
export interface TestCase {
  /** Its title behind those of the groups that it is in, outermost first. */
  readonly titles: readonly string[];
  /** How it went. */
  readonly outcome: "passed" | "failed" | "skipped";
}

const separator = " > ";
const testCase = /<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/** Reads the report that `deno test --junit-path` writes. Groups are left out, they go as what they hold. */
export function parseJunit(xml: string): TestCase[] {
  const found = [...xml.matchAll(testCase)].map(([, name = "", body = ""]) => ({
    name: unescape(name),
    outcome: outcomeOf(body),
  }));
  const groups = new Set<string>();
  for (const { name } of found) {
    for (let end = name.indexOf(separator); end >= 0; end = name.indexOf(separator, end + 1)) {
      groups.add(name.slice(0, end));
    }
  }
  return found.filter(({ name }) => !groups.has(name))
    .map(({ name, outcome }) => ({ titles: name.split(separator), outcome }));
}

function outcomeOf(body: string): TestCase["outcome"] {
  // What a test wrote is escaped, so no `<` in the body is its own.
  if (body.includes("<failure")) return "failed";
  return body.includes("<skipped") ? "skipped" : "passed";
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescape(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
