import type { Streams } from "../streams.ts";
export const nodeStreams = (_: unknown): Streams => ({
  log: () => {
    throw new Error("x");
  },
  upgrade: () => {
    throw new Error("x");
  },
});
