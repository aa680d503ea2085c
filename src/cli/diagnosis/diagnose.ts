/**
 * Checks everything between a program and a call, in order.
 *
 * @module
 */

import { parseEndpoint, resolveWebTransport } from "../../transport/mod.ts";
import { checkPinned } from "./certificate.ts";
import { checkCredentials } from "./credentials.ts";
import { type DiagnosisInput, failed, type Finding } from "./finding.ts";
import { checkGateway } from "./gateway.ts";
import { checkNetwork } from "./network.ts";

/** Checks everything, in the order in which a call needs it. */
export async function* diagnose(input: DiagnosisInput): AsyncGenerator<Finding> {
  yield* checkRuntime(input);
  let hasCredentials = false;
  for await (const finding of checkCredentials(input)) {
    yield finding;
    hasCredentials = finding.level !== "error";
  }
  const url = yield* checkEndpoint(input);
  const pinned = yield* checkPinned(input);
  if (url === undefined || pinned === undefined) return;
  const isThere = yield* checkNetwork(input, url);
  if (!hasCredentials || !isThere) {
    yield { check: "gateway", level: "unknown", found: "Not checked: fix the errors above first" };
    return;
  }
  yield* checkGateway(input, url, pinned);
}

async function* checkRuntime({ platform }: DiagnosisInput): AsyncGenerator<Finding> {
  try {
    await resolveWebTransport();
    yield { check: "runtime", level: "ok", found: `${platform.runtime} has WebTransport` };
  } catch (error) {
    yield failed("runtime", error);
  }
}

async function* checkEndpoint(
  { endpoint }: DiagnosisInput,
): AsyncGenerator<Finding, URL | undefined> {
  if (endpoint === undefined) {
    yield {
      check: "endpoint",
      level: "error",
      found: "No endpoint is set",
      fix:
        "Pass --endpoint https://host:9090 or set TELEQUICK_ENDPOINT; telequick gateway starts a gateway",
    };
    return undefined;
  }
  try {
    const url = parseEndpoint(endpoint);
    yield { check: "endpoint", level: "ok", found: url.origin };
    return url;
  } catch (error) {
    yield failed("endpoint", error);
    return undefined;
  }
}
