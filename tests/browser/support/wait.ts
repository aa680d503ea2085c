/** Waits until the page says so. The limit is there to end a test that would wait for ever; a quick page is not waited for. */
export async function until<T>(
  ask: () => Promise<T>,
  isSo: (value: T) => boolean,
  limitMs = 20_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  while (true) {
    const value = await ask();
    if (isSo(value)) return value;
    if (performance.now() > end) {
      throw new Error(`Not so after ${limitMs} ms: ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
