/**
 * The parts of a document that the page uses, and one function that makes elements. Text is only ever added as text.
 *
 * @module
 */

/** An event of the page. */
export interface PageEvent {
  readonly key?: string;
  readonly target: PageElement | null;
  preventDefault(): void;
}

/** An element. */
export interface PageElement {
  textContent: string | null;
  hidden: boolean;
  disabled: boolean;
  value: string;
  width: number;
  height: number;
  readonly isConnected: boolean;
  readonly clientWidth: number;
  readonly clientHeight: number;
  readonly children: ArrayLike<PageElement> & Iterable<PageElement>;
  append(...children: (PageElement | string)[]): void;
  replaceChildren(...children: (PageElement | string)[]): void;
  insertBefore(child: PageElement, before: PageElement | null): void;
  remove(): void;
  focus(): void;
  matches(selector: string): boolean;
  querySelector(selector: string): PageElement | null;
  setAttribute(name: string, value: string): void;
  toggleAttribute(name: string, force: boolean): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  getContext(kind: "2d"): Drawing | null;
}

/** A canvas to draw on. */
export interface Drawing {
  fillStyle: string;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillRect(x: number, y: number, width: number, height: number): void;
}

interface PageWindow {
  readonly document: {
    title: string;
    createElement(name: string): PageElement;
    addEventListener(type: string, listener: () => void): void;
  };
  readonly HTMLElement: new () => PageElement;
  readonly customElements: { define(name: string, element: new () => PageElement): void };
  readonly location: { readonly hash: string; readonly pathname: string; reload(): void };
  readonly history: { replaceState(data: null, title: string, url: string): void };
  readonly sessionStorage: {
    getItem(name: string): string | null;
    setItem(name: string, value: string): void;
    removeItem(name: string): void;
  };
  readonly navigator: { readonly clipboard?: { writeText(text: string): Promise<void> } };
  readonly devicePixelRatio: number;
  getComputedStyle(element: PageElement): { readonly color: string; readonly outlineColor: string };
  addEventListener(type: string, listener: () => void): void;
}

/** The page. */
export const page: PageWindow = globalThis as unknown as PageWindow;

/** The base of the page's own elements. */
export const HTMLElement: new () => PageElement = page.HTMLElement;

/** Attributes, and listeners by the event's name with `on` before it. */
export type Attributes = Readonly<
  Record<string, string | boolean | ((event: PageEvent) => void)>
>;

/** Makes an element. A child that is a string becomes text. */
export function h(
  name: string,
  attributes: Attributes = {},
  ...children: (PageElement | string)[]
): PageElement {
  const element = page.document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(key, value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** A button. */
export function button(
  label: string,
  onClick: () => void,
  attributes: Attributes = {},
): PageElement {
  return h("button", { type: "button", onclick: onClick, ...attributes }, label);
}

/** A line that is read out when something goes wrong. */
export function problemLine(): PageElement {
  return h("p", { class: "problem", role: "alert" });
}

/** Sets an element's text where it differs: what has not changed is not announced again. */
export function setText(element: PageElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows one element a value, in their order: those that are there are kept and updated, so that focus and openness stay.
 *
 * @param keyOf What stays the same of a value.
 * @param make Makes the element of a value; it is called once.
 * @param update Shows a value that has changed. Default: nothing of it changes.
 */
export function keyedList<V, E extends PageElement>(
  list: PageElement,
  keyOf: (value: V) => string,
  make: (value: V) => E,
  update: (element: E, value: V) => void = () => {},
): (values: readonly V[]) => void {
  const shown = new Map<string, E>();
  return (values) => {
    const keys = new Set(values.map(keyOf));
    for (const [key, element] of shown) {
      if (keys.has(key)) continue;
      element.remove();
      shown.delete(key);
    }
    values.forEach((value, index) => {
      const key = keyOf(value);
      let element = shown.get(key);
      if (element === undefined) shown.set(key, element = make(value));
      update(element, value);
      const there = list.children[index] ?? null;
      if (there !== element) list.insertBefore(element, there);
    });
  };
}
