import { same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

/** What cannot be read would let in whom it should keep out, so it closes the route. */
function rangesOf(said: Said, name: string): readonly string[] {
  if (!said.has(name)) return [];
  const { ranges, wrong } = said.ranges(name);
  if (wrong.length > 0) {
    said.refuse(
      name,
      `${wrong.map((one) => JSON.stringify(one)).join(", ")}: each must be an address or a range, such as 192.0.2.0/24`,
      "AnnotationInvalid",
    );
  } else if (ranges.length === 0) {
    said.refuse(name, "it is there, but names no address", "AnnotationInvalid");
  }
  return ranges;
}

/** Which clients may ask, by their address. */
export const sources: AnnotationGroup = {
  title: "Client addresses",
  annotations: [
    { name: "allowlist-source-range", value: "addresses", verdict: same },
    { name: "whitelist-source-range", value: "addresses", verdict: same },
    { name: "denylist-source-range", value: "addresses", verdict: same },
  ],
  read(said) {
    // The older name counts only where the newer says nothing.
    const isNewer =
      said.text("allowlist-source-range") !== undefined || said.text("whitelist-source-range") === undefined;
    const allow = rangesOf(said, isNewer ? "allowlist-source-range" : "whitelist-source-range");
    const deny = rangesOf(said, "denylist-source-range");
    return allow.length + deny.length === 0 ? {} : { settings: { sources: { allow, deny } } };
  },
};
