/**
 * The page of the tests in real Firefox: its own fake microphone, which hears a tone, and a sound server, since
 * Firefox runs an `AudioContext` only where there is a sound device.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { findProgram } from "../../../scripts/matrix/browser.ts";
import type { TestPage } from "./page_checks.ts";
import { openOrigin } from "./stage.ts";
import { until } from "./wait.ts";

/** Options of {@linkcode openFirefoxStage}. */
export interface FirefoxStageOptions {
  /** What becomes of the question for the microphone. Default: `"granted"`. */
  readonly permission?: "granted" | "denied";
}

interface FirefoxStage extends TestPage, AsyncDisposable {}

// Far more than any call of a page takes, and more than the end of a Firefox that is well.
const LONGEST_MS = 60_000;
const CLOSE_MS = 10_000;

async function bounded<T>(what: string, ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Firefox does not answer ${what}() for ${ms / 1_000} s`)),
      ms,
    );
  });
  return await Promise.race([work, over]).finally(() => clearTimeout(timer));
}

/** Runs a test in a page of Firefox. */
export async function inFirefox(
  test: (page: TestPage) => Promise<void>,
  options: FirefoxStageOptions = {},
): Promise<void> {
  await using stage = await openFirefoxStage(options);
  await test(stage);
}

// Firefox's answers to the permissions API: 1 allows, 2 denies.
const ALLOW = 1;
const DENY = 2;

interface SoundServer extends AsyncDisposable {
  /** Where its socket is: the value of `XDG_RUNTIME_DIR`. */
  readonly folder: string;
}

/** Starts PulseAudio whose sink discards the sound. */
async function startSoundServer(): Promise<SoundServer> {
  const program = await findProgram("pulseaudio");
  const folder = await mkdtemp(join(tmpdir(), "sound-"));
  const child = spawn(program, [
    ...["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"],
    ...["-L", "module-null-sink", "-L", "module-native-protocol-unix"],
  ], { env: { ...Deno.env.toObject(), XDG_RUNTIME_DIR: folder }, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const server = {
    folder,
    async [Symbol.asyncDispose]() {
      // It has nothing to save, and ends for certain.
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
  await using stack = new AsyncDisposableStack();
  stack.use(server);
  const isThere = () => Promise.resolve(existsSync(join(folder, "pulse", "native")));
  await until(isThere, (found) => found);
  stack.move();
  return server;
}

/** Ends a Firefox that does not answer. */
async function end(child: ChildProcess): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await ended;
}

/** Opens the page. */
async function openFirefoxStage(
  { permission = "granted" }: FirefoxStageOptions,
): Promise<FirefoxStage> {
  await using opened = new AsyncDisposableStack();
  const sound = opened.use(await startSoundServer());
  const origin = opened.use(await openOrigin());
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: await findProgram("firefox-esr"),
    headless: true,
    env: { ...Deno.env.toObject(), XDG_RUNTIME_DIR: sound.folder },
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "permissions.default.microphone": permission === "granted" ? ALLOW : DENY,
      // Without a gesture: no user is there to click.
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
    },
  });
  opened.defer(async () => {
    await bounded("close", CLOSE_MS, browser.close()).catch(() => end(browser.process()!));
  });
  const page = await browser.newPage();
  const thrown: string[] = [];
  page.on("pageerror", (error) => {
    thrown.push(error instanceof Error ? error.stack ?? error.message : String(error));
  });
  await page.goto(origin.url);
  await page.waitForFunction(() => "ready" in globalThis);
  const toClose = opened.move();
  return {
    async call<T>(name: string, argument?: unknown): Promise<T> {
      const answer = page.evaluate(
        (name, argument) =>
          (globalThis as unknown as Record<string, (argument: unknown) => unknown>)[name]!(
            argument,
          ),
        name,
        argument,
      );
      const result = await bounded(name, LONGEST_MS, answer);
      if (thrown.length > 0) throw new Error(`The page failed:\n${thrown.join("\n")}`);
      return result as T;
    },
    [Symbol.asyncDispose]: () => toClose.disposeAsync(),
  };
}
