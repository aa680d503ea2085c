/**
 * Draws how loud both sides of a call were: the program above the middle, the far end below.
 *
 * @module
 */

import { h, page, type PageElement } from "./dom.ts";
import type { Trace } from "./store.ts";

const BAR = 2;
const STEP = 3;

/** A canvas for a trace. */
export function traceCanvas(name: string): PageElement {
  return h("canvas", { class: "trace", role: "img", "aria-label": name });
}

/** Draws what fits of a trace, the newest at the right. */
export function drawTrace(canvas: PageElement, { toFarEnd, toProgram }: Trace): void {
  const drawing = canvas.getContext("2d");
  const ratio = page.devicePixelRatio;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (drawing === null || width === 0) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  drawing.clearRect(0, 0, width, height);
  // The style sheet resolves the colours of the scheme.
  const { color, outlineColor } = page.getComputedStyle(canvas);
  const step = STEP * ratio;
  const bars = Math.floor(width / step);
  const middle = height / 2;
  drawing.fillStyle = color;
  toFarEnd.slice(-bars).reverse().forEach((level, i) => {
    const size = heightOf(level) * middle;
    drawing.fillRect(width - (i + 1) * step, middle - size, BAR * ratio, size);
  });
  drawing.fillStyle = outlineColor;
  toProgram.slice(-bars).reverse().forEach((level, i) => {
    drawing.fillRect(width - (i + 1) * step, middle, BAR * ratio, heightOf(level) * middle);
  });
}

/** Speech has an RMS of 0.02 to 0.3: the root spreads that. */
function heightOf(level: number): number {
  return Math.min(1, Math.max(0.04, 1.6 * Math.sqrt(level)));
}
