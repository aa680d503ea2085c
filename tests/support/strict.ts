import { env } from "node:process";

// Users of the package have these set: what a test does not say would come from them.
for (const name of Object.keys(env)) if (name.startsWith("TELEQUICK_")) delete env[name];

// Loaded before every test module. With `node:test`, an error that no test caught goes to whichever test happens to run, and
// one at the top of a module is lost: the module's other tests vanish and the run passes. Here the runner gets them first.
for (const type of ["error", "unhandledrejection"]) {
  globalThis.addEventListener(type, (event) => event.stopImmediatePropagation());
}
