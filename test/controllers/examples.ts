import type { Node, Pod, Service } from "../../src/api/generated/types.ts";

// Objects for the tests of the controllers: a Service `web` that selects `app=web`, and pods of it.

export const service = (
  spec: Partial<NonNullable<Service["spec"]>> = {},
  metadata: Partial<Service["metadata"]> = {},
): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "shop", name: "web", uid: "service-1", ...metadata },
  spec: {
    selector: { app: "web" },
    clusterIP: "10.96.0.9",
    ipFamilies: ["IPv4"],
    ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
    ...spec,
  },
});

export interface PodExample {
  readonly ready?: boolean;
  readonly deleting?: boolean;
  readonly phase?: string;
  readonly ips?: readonly string[];
  readonly spec?: Partial<NonNullable<Pod["spec"]>>;
}

export const pod = (name: string, example: PodExample = {}): Pod => {
  const ips = (example.ips ?? [`10.244.0.${name.length}`]).map((ip) => ({ ip }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace: "shop",
      name,
      uid: `uid-${name}`,
      labels: { app: "web" },
      ...(example.deleting === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { containers: [{ name: "c" }], nodeName: "node-1", ...example.spec },
    status: {
      phase: example.phase ?? "Running",
      ...(ips[0] === undefined ? {} : { podIP: ips[0].ip, podIPs: ips }),
      ...(example.ready === undefined
        ? {}
        : { conditions: [{ type: "Ready", status: example.ready ? "True" : "False" }] }),
    },
  };
};

export const node = (name: string, labels: Record<string, string> = {}): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels },
  status: { conditions: [{ type: "Ready", status: "True" }] },
});
