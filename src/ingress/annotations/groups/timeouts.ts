import { usualSettings } from "../../settings/defaults.ts";
import { differently, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

const secondsOf = (said: Said, name: string, usual: number): number =>
  said.number(name, usual / 1000, { least: 1, most: 2_000_000, wanted: "a number of seconds" }) * 1000;

/** How long a backend is waited for. */
export const timeouts: AnnotationGroup = {
  title: "Times",
  annotations: [
    { name: "proxy-connect-timeout", value: "seconds", verdict: same },
    {
      name: "proxy-send-timeout",
      value: "seconds",
      verdict: differently("WebSockets may be silent for an hour at least, or as long as this says"),
    },
    {
      name: "proxy-read-timeout",
      value: "seconds",
      verdict: differently("WebSockets may be silent for an hour at least, or as long as this says"),
    },
  ],
  read(said) {
    const usual = usualSettings.timeouts;
    const send = secondsOf(said, "proxy-send-timeout", usual.send);
    const read = secondsOf(said, "proxy-read-timeout", usual.read);
    return {
      settings: {
        timeouts: {
          connect: secondsOf(said, "proxy-connect-timeout", usual.connect),
          send,
          read,
          tunnel: Math.max(usual.tunnel, send, read),
        },
      },
    };
  },
};
