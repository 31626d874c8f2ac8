import type { Annotation } from "../../../api/annotation.ts";

/** Ports from the first to the last. */
export interface PortRange {
  readonly port: number;
  readonly lastPort: number;
}

export interface NamedRange extends PortRange {
  /** Name or number of the Service port whose endpoints it leads to; undefined: the only one there is. */
  readonly of: string | undefined;
}

const ONE = /^(?:([a-z0-9-]+)=)?(\d{1,5})-(\d{1,5})$/;

function parseOne(text: string): NamedRange | undefined {
  const [whole, of, first, last] = ONE.exec(text.trim()) ?? [];
  const port = Number(first);
  const lastPort = Number(last);
  return whole === undefined || port < 1 || lastPort < port || lastPort > 65_535 ? undefined : { of, port, lastPort };
}

/** On a Service: ports that lead to the same port of the endpoints, at its clusterIPs, externalIPs and load-balancer addresses. */
export const portRange: Annotation<readonly NamedRange[]> = {
  name: "fairlead.dev/port-range",
  should:
    "FIRST-LAST or PORT=FIRST-LAST, where PORT is the name or number of a port of the Service and 1 ≤ FIRST ≤ LAST ≤ 65535, such as 8000-8999 or rtp=10000-20000; several with commas between",
  otherwise: [],
  parse: (text) => {
    const ranges = text.split(",").map(parseOne);
    return ranges.every((one) => one !== undefined) ? ranges : undefined;
  },
};
