import { runInNewContext } from "node:vm";

/** A typed array of another realm, as a test under jest makes them: `instanceof` does not hold. */
export function foreignArray(
  name: "Uint8Array" | "Int16Array" | "Float32Array",
  values: Iterable<number>,
): unknown {
  return runInNewContext(`${name}.from(values)`, { values: [...values] });
}
