import { differently, ignored, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const STREAMED = ignored(
  "responses are passed on as they come, and kept in memory only as far as the client is slower",
);

/** `8m` in bytes; 0 is no bound. */
function sizeOf(said: Said, name: string): number | undefined {
  const text = said.text(name);
  if (text === undefined) return undefined;
  const [, digits, unit = ""] = /^(\d{1,12})([bkmg]?)$/i.exec(text) ?? [];
  if (digits === undefined) {
    said.wrong(name, "a size such as 1000, 100k, 8m or 1g", "bodies may have any length");
    return undefined;
  }
  const size = Number(digits) * UNITS[unit.toLowerCase()]!;
  return size === 0 ? undefined : size;
}

/** Bodies and what is kept of them on the way. */
export const body: AnnotationGroup = {
  title: "Bodies",
  annotations: [
    { name: "proxy-body-size", value: "size", verdict: same },
    {
      name: "proxy-request-buffering",
      value: "word",
      verdict: differently("the body is passed on as it comes, in pieces"),
      exceptions: { off: same },
    },
    {
      name: "client-body-buffer-size",
      value: "size",
      verdict: ignored("bodies are passed on as they come, and never written to disk"),
    },
    { name: "proxy-buffering", value: "word", verdict: STREAMED },
    { name: "proxy-buffers-number", value: "number", verdict: STREAMED },
    { name: "proxy-buffer-size", value: "size", verdict: STREAMED },
    { name: "proxy-busy-buffers-size", value: "size", verdict: STREAMED },
    { name: "proxy-max-temp-file-size", value: "size", verdict: STREAMED },
  ],
  read: (said) => ({ settings: { maximumBody: sizeOf(said, "proxy-body-size") } }),
};
