// An edge worker: every request runs the checks of the edge. A Worker needs a default export.
import { type CheckResult, edge, runChecks } from "../mod.ts";

export default {
  async fetch(): Promise<Response> {
    const results: CheckResult[] = [];
    await runChecks(edge, (result) => results.push(result));
    return Response.json(results);
  },
};
