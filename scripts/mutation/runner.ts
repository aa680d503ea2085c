import type { Answer, Loaded, Request } from "./protocol.ts";

const LOAD_LIMIT_MS = 120_000;

/** A process that holds the tests of a room. */
export class Runner {
  readonly loaded: Loaded;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: AsyncIterator<unknown>;

  private constructor(child: Deno.ChildProcess, answers: AsyncIterator<unknown>, loaded: Loaded) {
    this.loaded = loaded;
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#answers = answers;
  }

  /**
   * Starts the process and loads the test files.
   *
   * @throws `Error` when they do not load.
   */
  static async start(
    folder: string,
    files: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Runner> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", "scripts/mutation/worker.ts", ...files],
      cwd: folder,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const answers = read(child.stdout);
    const loaded = await within(LOAD_LIMIT_MS, answers.next());
    if (loaded?.value === undefined) {
      await end(child);
      throw new Error(`Cannot load the tests in ${folder}`);
    }
    return new Runner(child, answers, loaded.value as Loaded);
  }

  /** Returns nothing when the process ended, or did not answer in time. */
  async ask(request: Request, limitMs: number): Promise<Answer | undefined> {
    const line = new TextEncoder().encode(`${JSON.stringify(request)}\n`);
    try {
      await this.#input.write(line);
    } catch {
      return undefined;
    }
    return (await within(limitMs, this.#answers.next()))?.value as Answer | undefined;
  }

  /** Ends the process. */
  async end(): Promise<void> {
    await end(this.#child);
  }
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It ended by itself.
  }
  await child.status;
}

async function within<T>(ms: number, awaited: Promise<T>): Promise<T | undefined> {
  const expired = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => expired.resolve(undefined), ms);
  try {
    return await Promise.race([awaited, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tests write lines of their own: those that begin with an at sign are answers. */
async function* read(output: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  let text = "";
  for await (const piece of output.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n")) {
      const line = text.slice(0, at);
      text = text.slice(at + 1);
      if (line.startsWith("@{")) yield JSON.parse(line.slice(1));
    }
  }
}
