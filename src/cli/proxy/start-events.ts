import type { ProxyMode } from "../../proxy/engine.ts";

type Told = readonly [type: "Normal" | "Warning", reason: string, message: string];

/** What is told on the Node when the proxy starts (PRX-121). */
export const startEvents = (mode: ProxyMode): readonly Told[] => [
  ["Normal", "Starting", ""],
  ...(mode === "ipvs"
    ? [
        [
          "Warning",
          "IPVSDeprecation",
          "the proxy mode ipvs is deprecated in Kubernetes; nftables is what it recommends instead",
        ] as const,
      ]
    : []),
];
