import type { Balance } from "../../plan/plan.ts";
import { differently, same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";
import { KEY_VARIABLES, unknownVariables } from "../variables.ts";

const usual: Balance = { algorithm: "round-robin" };

function hashOf(said: Said): Balance | undefined {
  const key = said.text("upstream-hash-by");
  if (key === undefined) return undefined;
  const [unknown] = unknownVariables(key, KEY_VARIABLES);
  if (unknown === undefined) return { algorithm: "hash", key };
  said.wrong("upstream-hash-by", `a text without the variable $${unknown}`, "endpoints are taken in turn");
  return usual;
}

function algorithmOf(said: Said): Balance {
  const own = said.word("balance", ["round-robin", "least-requests", "ewma"], undefined);
  if (own !== undefined) return { algorithm: own };
  const hash = hashOf(said);
  if (hash !== undefined) return hash;
  const text = said.word("load-balance", ["round_robin", "ewma"], "round_robin");
  return text === "ewma" ? { algorithm: "ewma" } : usual;
}

/** Which endpoint a request without a session goes to. */
export const balance: AnnotationGroup = {
  title: "Balancing",
  annotations: [
    { name: "balance", value: "word", verdict: same, own: true },
    {
      name: "load-balance",
      value: "word",
      verdict: differently("endpoints are taken in turn"),
      exceptions: { round_robin: same, ewma: same },
    },
    {
      name: "upstream-hash-by",
      value: "text",
      verdict: differently("the same key stays at one endpoint, but not at the one that ingress-nginx takes"),
    },
    {
      name: "upstream-hash-by-subset",
      value: "true or false",
      verdict: differently("each key has one endpoint, not a few"),
      exceptions: { false: same },
    },
    { name: "upstream-hash-by-subset-size", value: "number", verdict: differently("each key has one endpoint") },
  ],
  read: (said) => ({ backend: { balance: algorithmOf(said) } }),
};
