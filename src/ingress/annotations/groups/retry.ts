import type { RetryReason } from "../../settings/settings.ts";
import { usualSettings } from "../../settings/defaults.ts";
import { differently, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

const REASONS: readonly RetryReason[] = [
  "error",
  "timeout",
  "invalid_header",
  "http_403",
  "http_404",
  "http_429",
  "http_500",
  "http_502",
  "http_503",
  "http_504",
];

/** `off` among the words turns all off, as in nginx. */
function reasonsOf(said: Said): { readonly on: ReadonlySet<RetryReason>; readonly nonIdempotent: boolean } {
  const { on, nonIdempotent } = usualSettings.retry;
  const text = said.text("proxy-next-upstream");
  if (text === undefined) return { on, nonIdempotent };
  const words = text.split(/\s+/);
  const wrong = words.find((word) => !["off", "non_idempotent", ...REASONS].includes(word));
  if (wrong !== undefined) {
    said.wrong(
      "proxy-next-upstream",
      `a list of ${REASONS.join(", ")}, non_idempotent and off, with spaces (${JSON.stringify(wrong)} is none)`,
      "error timeout is taken",
    );
    return { on, nonIdempotent };
  }
  if (words.includes("off")) return { on: new Set(), nonIdempotent: false };
  return {
    on: new Set(REASONS.filter((reason) => words.includes(reason))),
    nonIdempotent: words.includes("non_idempotent"),
  };
}

/** When another endpoint is tried. */
export const retry: AnnotationGroup = {
  title: "Other tries",
  annotations: [
    { name: "proxy-next-upstream", value: "list", verdict: same },
    {
      name: "proxy-next-upstream-tries",
      value: "number",
      verdict: same,
      exceptions: { "0": differently("there are as many tries as endpoints, not any number") },
    },
    { name: "proxy-next-upstream-timeout", value: "seconds", verdict: same },
  ],
  read(said) {
    const { tries, timeout } = usualSettings.retry;
    return {
      settings: {
        retry: {
          ...reasonsOf(said),
          tries: said.number("proxy-next-upstream-tries", tries, { most: 1000, wanted: "a number of tries" }),
          timeout:
            said.number("proxy-next-upstream-timeout", timeout / 1000, {
              most: 2_000_000,
              wanted: "a number of seconds",
            }) * 1000,
        },
      },
    };
  },
};
