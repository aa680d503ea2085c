/**
 * Compiles consumers of the npm package against its declarations: `deno run -A scripts/checks/types.ts [--only text]`.
 *
 * `tests/types/projects.ts` says which consumers there are. Each is compiled with the oldest TypeScript that is promised, an earlier one and
 * the latest, as bundlers resolve modules and as Node does, strictly and with the declarations of libraries checked too.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type Project, projects } from "../../tests/types/projects.ts";
import { install } from "../matrix/install.ts";
import { readManifest } from "../build/manifest.ts";
import { packPackage } from "../build/package.ts";
import { run } from "../support/run.ts";
import { root } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

const compilers = { oldest: "5.4.5", earlier: "5.7.3", latest: "7.0.2" } as const;
const resolutions = { bundler: "esnext", nodenext: "nodenext" } as const;

function configOf(
  { lib, types, onlyDoor }: Project,
  moduleResolution: keyof typeof resolutions,
): string {
  return JSON.stringify({
    compilerOptions: {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
      ...{ skipLibCheck: false, noEmit: true, target: "es2022", lib, types },
      ...{ module: resolutions[moduleResolution], moduleResolution },
    },
    files: [...(onlyDoor === undefined ? ["consumer.ts"] : []), "also.ts", "foreign.ts"],
  });
}

async function compile(project: Project, tarball: string, compiler: URL): Promise<string[]> {
  const folder = await install(`types-${project.name}`, {
    "@telequick/sdk": tarball,
    ...project.dependencies,
  });
  const write = (name: string, text: string): Promise<void> =>
    Deno.writeTextFile(new URL(name, folder), text);
  await Deno.copyFile(new URL("tests/types/consumer.ts", root), new URL("consumer.ts", folder));
  await write("also.ts", project.also.join("\n"));
  const doors = Object.keys((await readManifest()).exports).map((door) => door.slice(1));
  await write(
    "foreign.ts",
    [
      ...(project.onlyDoor === undefined ? doors : [project.onlyDoor]).map((door) =>
        `import type {} from "@telequick/sdk${door}";`
      ),
      ...project.foreign.flatMap((
        name,
      ) => ["// @ts-expect-error: not of this runtime", `${name};`]),
    ].join("\n"),
  );
  const violations: string[] = [];
  for (const [name, version] of Object.entries(compilers)) {
    if (parseFloat(version) < parseFloat(project.since ?? "0")) continue;
    for (const resolution of Object.keys(resolutions) as (keyof typeof resolutions)[]) {
      await write("tsconfig.json", configOf(project, resolution));
      const tsc = new URL(`node_modules/${name}/bin/tsc`, compiler).pathname;
      const { ok, output } = await run("node", [tsc, "-p", "tsconfig.json"], { cwd: folder });
      if (!ok) violations.push(`${project.name}, TypeScript ${version}, ${resolution}:\n${output}`);
    }
  }
  return violations;
}

/**
 * Compiles consumers; returns what does not compile.
 *
 * @param tarball The package's.
 * @param only Part of a project's name. Default: every project.
 */
export async function checkTypes(tarball: string, only = ""): Promise<readonly string[]> {
  const versions = Object.entries(compilers).map(([name, version]) =>
    [name, `npm:typescript@${version}`] as const
  );
  const compiler = await install("compilers", Object.fromEntries(versions));
  const violations: string[] = [];
  for (const project of projects) {
    if (project.name.includes(only)) violations.push(...await compile(project, tarball, compiler));
  }
  return violations;
}

/** What was looked at, in a few words. */
export const describeTypes = `${projects.length} consumers with TypeScript ${
  Object.values(compilers).join(" and ")
}`;

if (import.meta.main) {
  const options = { only: { type: "string" } } as const;
  const { values: { only } } = parseArgs({ args: Deno.args, options });
  const { tarball } = await packPackage();
  conclude("types", describeTypes, await checkTypes(tarball, only));
}
