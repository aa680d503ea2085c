/** What a piece of work costs in bytes. */
export interface Cost {
  /** Bytes copied from one buffer into another. */
  readonly copied: number;
  /** Bytes of buffers made. */
  readonly allocated: number;
  /** Bytes of the largest buffer made. */
  readonly largest: number;
}

/** Runs synchronous work and counts the buffers that it makes and what is copied between them. */
export function costOf(work: () => void): Cost {
  const Plain = globalThis.Uint8Array;
  const { set, slice } = Plain.prototype;
  let copied = 0;
  let allocated = 0;
  let largest = 0;
  const allocate = (size: number) => {
    allocated += size;
    largest = Math.max(largest, size);
  };
  globalThis.Uint8Array = new Proxy(Plain, {
    construct(target, args, newTarget) {
      if (typeof args[0] === "number") allocate(args[0]);
      return Reflect.construct(target, args, newTarget);
    },
  });
  Plain.prototype.set = function (source, offset) {
    copied += source.length;
    set.call(this, source, offset);
  };
  Plain.prototype.slice = function (start, end) {
    const part = slice.call(this, start, end);
    allocate(part.length);
    copied += part.length;
    return part as Uint8Array<ArrayBuffer>;
  };
  try {
    work();
  } finally {
    globalThis.Uint8Array = Plain;
    Object.assign(Plain.prototype, { set, slice });
  }
  return { copied, allocated, largest };
}
