import type { Annotated } from "../annotations.ts";
import { headerExpression } from "../../expressions/expression.ts";
import { usesRegex } from "../expressions.ts";
import { same, type AnnotationGroup } from "../group.ts";
import { HEADER_NAME } from "../header-maps.ts";
import type { Said } from "../said.ts";

type Canary = NonNullable<Annotated["canary"]>;

function patternOf(said: Said): string | undefined {
  const pattern = said.text("canary-by-header-pattern");
  if (pattern === undefined) return undefined;
  try {
    headerExpression(pattern);
    return pattern;
  } catch (cause) {
    said.wrong("canary-by-header-pattern", `an expression (${(cause as Error).message})`, "no request matches it");
    // What matches nothing: not the same as no pattern, where always and never would decide.
    return "(?!)";
  }
}

function headerOf(said: Said): Canary["header"] {
  const name = said.text("canary-by-header");
  if (name === undefined) {
    for (const other of ["canary-by-header-value", "canary-by-header-pattern"]) {
      if (said.has(other)) {
        said.fault(other, "AnnotationInvalid", "without canary-by-header it has no header to look at; it is ignored");
      }
    }
    return undefined;
  }
  if (!HEADER_NAME.test(name)) {
    said.wrong("canary-by-header", "the name of a header", "it is ignored");
    return undefined;
  }
  const value = said.text("canary-by-header-value");
  if (value !== undefined) return { name: name.toLowerCase(), value };
  const pattern = patternOf(said);
  return { name: name.toLowerCase(), ...(pattern === undefined ? {} : { pattern }) };
}

function weightOf(said: Said, total: number): number {
  const weight = said.number("canary-weight", 0, { wanted: "a weight" });
  if (weight <= total) return weight;
  said.wrong("canary-weight", `a weight of at most ${total}, which is the whole`, "all requests are meant");
  return total;
}

/** A share of the requests of another Ingress with the same hosts and paths. */
export const canary: AnnotationGroup = {
  title: "Canaries",
  annotations: [
    { name: "canary", value: "true or false", verdict: same },
    { name: "canary-by-header", value: "text", verdict: same },
    { name: "canary-by-header-value", value: "text", verdict: same },
    { name: "canary-by-header-pattern", value: "text", verdict: same },
    { name: "canary-by-cookie", value: "text", verdict: same },
    { name: "canary-weight", value: "number", verdict: same },
    { name: "canary-weight-total", value: "number", verdict: same },
  ],
  read(said) {
    if (!said.truth("canary", false)) {
      if (!said.has("canary")) {
        const name = canary.annotations.find((one) => said.has(one.name))!.name;
        said.fault(name, "AnnotationInvalid", `without canary: "true" this is no canary; it is ignored`);
      }
      return {};
    }
    const total = said.number("canary-weight-total", 100, { least: 1, wanted: "a weight" });
    return {
      useRegex: usesRegex(said),
      canary: {
        header: headerOf(said),
        cookie: said.text("canary-by-cookie"),
        weight: weightOf(said, total),
        total,
      },
    };
  },
};
