/** Tells whoever listens the size of a client's terminal, and the last one to who listens late. */
export interface SizeTold {
  readonly tell: (text: string) => void;
  readonly onResize: (callback: (columns: number, rows: number) => void) => void;
}

const isSize = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;

/** Sizes come as JSON, `{"Width":80,"Height":24}`; what is none is passed over. */
export function sizesTold(): SizeTold {
  let last: readonly [number, number] | undefined;
  let listener: (columns: number, rows: number) => void = () => {};
  return {
    tell(text) {
      let size: unknown;
      try {
        size = JSON.parse(text);
      } catch {
        return;
      }
      const { Width, Height } = (size ?? {}) as { Width?: unknown; Height?: unknown };
      if (!isSize(Width) || !isSize(Height)) return;
      last = [Width, Height];
      listener(Width, Height);
    },
    onResize(callback) {
      listener = callback;
      if (last !== undefined) callback(...last);
    },
  };
}
