/**
 * What can be wrong between a program and a call, looked at one thing after the other.
 *
 * @module
 */

import { parseEndpoint, resolveWebTransport } from "../../transport/mod.ts";
import { checkPinned } from "./certificate.ts";
import { checkCredentials } from "./credentials.ts";
import { failed, type Finding, type Patient } from "./finding.ts";
import { checkGateway } from "./gateway.ts";
import { checkNetwork } from "./network.ts";

/** Looks at everything, in the order in which a call needs it. */
export async function* diagnose(patient: Patient): AsyncGenerator<Finding> {
  yield* checkRuntime(patient);
  let hasCredentials = false;
  for await (const finding of checkCredentials(patient)) {
    yield finding;
    hasCredentials = finding.level !== "error";
  }
  const url = yield* checkEndpoint(patient);
  const pinned = yield* checkPinned(patient);
  if (url === undefined || pinned === undefined) return;
  const isThere = yield* checkNetwork(patient, url);
  if (!hasCredentials || !isThere) {
    yield { check: "gateway", level: "unknown", found: "Not asked: the above comes first" };
    return;
  }
  yield* checkGateway(patient, url, pinned);
}

async function* checkRuntime({ platform }: Patient): AsyncGenerator<Finding> {
  try {
    await resolveWebTransport();
    yield { check: "runtime", level: "ok", found: `${platform.runtime} has WebTransport` };
  } catch (error) {
    yield failed("runtime", error);
  }
}

async function* checkEndpoint({ endpoint }: Patient): AsyncGenerator<Finding, URL | undefined> {
  if (endpoint === undefined) {
    yield {
      check: "endpoint",
      level: "error",
      found: "No endpoint is known",
      fix:
        "Give --endpoint https://host:9090 or set TELEQUICK_ENDPOINT; telequick gateway starts one",
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
