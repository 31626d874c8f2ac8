import { same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

/** None is no bound. */
const boundOf = (said: Said, name: string, wanted: string): number | undefined => {
  const bound = said.number(name, undefined, { wanted });
  return bound === 0 ? undefined : bound;
};

/** Who is not bounded. What cannot be read is bounded. */
function exceptOf(said: Said): readonly string[] {
  const name = said.text("limit-allowlist") === undefined ? "limit-whitelist" : "limit-allowlist";
  const { ranges, wrong } = said.ranges(name);
  if (wrong.length > 0) {
    said.fault(
      name,
      "AnnotationInvalid",
      `${wrong.map((one) => JSON.stringify(one)).join(", ")}: each must be an address or a range, such as 192.0.2.0/24; these are bounded as all others`,
    );
  }
  return ranges;
}

/** How much one client address may ask. */
export const rateLimit: AnnotationGroup = {
  title: "Rates",
  annotations: [
    { name: "limit-rps", value: "number", verdict: same },
    { name: "limit-rpm", value: "number", verdict: same },
    { name: "limit-connections", value: "number", verdict: same },
    { name: "limit-burst-multiplier", value: "number", verdict: same },
    { name: "limit-rate", value: "number", verdict: same },
    { name: "limit-rate-after", value: "number", verdict: same },
    { name: "limit-allowlist", value: "addresses", verdict: same },
    { name: "limit-whitelist", value: "addresses", verdict: same },
  ],
  read(said) {
    const perSecond = boundOf(said, "limit-rps", "a number of requests a second");
    const perMinute = boundOf(said, "limit-rpm", "a number of requests a minute");
    const connections = boundOf(said, "limit-connections", "a number of connections");
    // Written in KiB.
    const rate = boundOf(said, "limit-rate", "a number of KiB a second");
    const burst = said.number("limit-burst-multiplier", 5, { least: 1, wanted: "a number of times" });
    const rateAfter = said.number("limit-rate-after", 0, { wanted: "a number of KiB" }) * 1024;
    const except = exceptOf(said);
    if ((perSecond ?? perMinute ?? connections ?? rate) === undefined) return {};
    return {
      settings: {
        rateLimit: {
          perSecond,
          perMinute,
          burst,
          connections,
          rate: rate === undefined ? undefined : rate * 1024,
          rateAfter,
          except,
          status: 503,
        },
      },
    };
  },
};
