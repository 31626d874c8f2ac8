import type { Balance } from "../plan.ts";
import type { Annotation } from "../../../api/annotation.ts";

const WAYS = ["random", "round-robin", "least-connections", "maglev", "source-hash"] as const satisfies Balance[];

/** On a Service: how an endpoint is chosen for a new connection. */
export const balance: Annotation<Balance | undefined> = {
  name: "fairlead.dev/balance",
  should: "random, round-robin, least-connections, maglev or source-hash",
  otherwise: undefined,
  parse: (text) => WAYS.find((way) => way === text),
};
