/**
 * Values by name, the least recently used dropped.
 *
 * @module
 */

/** A map of bounded size. */
export class Recent<T> {
  readonly #values = new Map<string, T>();
  readonly #capacity: number;

  /** Makes one that holds at most `capacity` values. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A value, which counts as used now. */
  get(name: string): T | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    this.#values.delete(name);
    this.#values.set(name, value);
    return value;
  }

  /** A value, without counting as used. */
  peek(name: string): T | undefined {
    return this.#values.get(name);
  }

  /** Puts a value; the least recently used one goes when there is no room. */
  set(name: string, value: T): void {
    this.#values.delete(name);
    this.#values.set(name, value);
    if (this.#values.size <= this.#capacity) return;
    for (const oldest of this.#values.keys()) return void this.#values.delete(oldest);
  }

  /** Puts another value in the place of one that is still there. */
  replace(name: string, value: T): void {
    if (this.#values.has(name)) this.#values.set(name, value);
  }

  /** Drops a value. */
  delete(name: string): void {
    this.#values.delete(name);
  }

  /** Drops all. */
  clear(): void {
    this.#values.clear();
  }

  /** All values, the least recently used first. */
  values(): IterableIterator<T> {
    return this.#values.values();
  }

  /** How many there are. */
  get size(): number {
    return this.#values.size;
  }
}
