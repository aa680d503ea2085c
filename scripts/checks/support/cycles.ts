/**
 * Finds circles in a directed graph. Every node that lies on a circle lies on one that is reported.
 *
 * @param edges For each node the nodes it leads to. A target without an entry of its own leads nowhere.
 * @returns Circles as paths that end where they begin, in order of their first nodes.
 */
export function findCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const cycles: string[][] = [];
  const told = new Set<string>();
  for (const start of [...edges.keys()].sort()) {
    if (told.has(start)) continue;
    const cycle = shortestWay(edges, start);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    for (const node of cycle) told.add(node);
  }
  return cycles;
}

/** The shortest way from a node back to itself. */
function shortestWay(
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  start: string,
): string[] | undefined {
  const seen = new Set<string>();
  let ways = [[start]];
  while (ways.length > 0) {
    const longer: string[][] = [];
    for (const way of ways) {
      for (const next of edges.get(way.at(-1)!) ?? []) {
        if (next === start) return [...way, start];
        if (seen.has(next)) continue;
        seen.add(next);
        longer.push([...way, next]);
      }
    }
    ways = longer;
  }
  return undefined;
}
