/**
 * What is wrong with a page for people who do not see it, or not well.
 *
 * @module
 */

import type { Page } from "playwright-core";

const axe = await Deno.readTextFile(
  new URL(import.meta.resolve("axe-core").replace(/\/[^/]*$/, "/axe.min.js")),
);

/** The rules that axe finds broken, each with the first place, and what is wider than the element that it is in. */
export async function findFaults(page: Page): Promise<readonly string[]> {
  // Through the debugger: the page's own policy lets no inline script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run()") as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  const wide = await page.evaluate(`[...document.querySelectorAll("html, .card, .empty, tq-call")]
    .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
    .map(({ localName, scrollWidth, clientWidth }) =>
      localName + " is " + (scrollWidth - clientWidth) + " pixels too wide at " + innerWidth)`);
  return [
    ...violations.map(({ id, nodes: [first] }) => `${id}: ${first!.html} ${first!.failureSummary}`),
    ...wide as string[],
  ];
}
