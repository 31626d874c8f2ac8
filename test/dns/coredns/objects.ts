import type { EndpointSlice, Namespace, Pod, Service } from "../../../src/api/generated/types.ts";
import { SERVICES, service, slice, SLICES } from "../testns.ts";
import type { Objects } from "./cluster.ts";

const namespace = (name: string, labels: Record<string, string> = {}): Namespace => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});

const pod = (name: string, ips: readonly string[], at = "testns", phase = "Running"): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: at },
  spec: { containers: [{ name: "c", image: "c" }] },
  status: { phase, podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) },
});

const port = (name: string, number: number, protocol = "TCP") => ({ name, protocol, port: number });
const ref = (name: string) => ({ kind: "Pod", namespace: "testns", name });
const chain = (index: number, target: string) =>
  service(`chain-${index}`, { type: "ExternalName", externalName: `${target}.testns.svc.cluster.local` });

/** These, and what is theirs, can be chosen by a label. */
const LABELLED = ["svc1", "hdls1", "dualeps", "external", "zoned", "twoports"];
const labelled = <T extends Service | EndpointSlice>(object: T): T => {
  const { labels = {}, name = "" } = object.metadata;
  return LABELLED.includes(labels["kubernetes.io/service-name"] ?? name)
    ? { ...object, metadata: { ...object.metadata, labels: { ...labels, exposed: "yes" } } }
    : object;
};

/** The ledger's objects and those that it speaks of without naming them. */
export const LEDGER: Objects = {
  namespaces: [
    namespace("default"),
    namespace("testns", { exposed: "yes", team: "a" }),
    namespace("other", { exposed: "no" }),
    namespace("empty", { exposed: "yes" }),
  ],
  services: [
    // Without an address only as long as the API server has given none.
    ...SERVICES.filter(({ metadata }) => metadata.name !== "pending"),
    service("svc1", { clusterIP: "10.0.1.1", ports: [port("http", 80)] }, "other"),
    service("hdls1", { clusterIP: "None", ports: [port("http", 80)] }, "other"),
    service("dualhdls", { clusterIP: "None", ports: [port("http", 80), port("dns", 53, "UDP")] }),
    service("dualeps", {
      clusterIP: "10.0.0.20",
      clusterIPs: ["10.0.0.20", "10::20"],
      ports: [port("http", 80), port("admin", 81), port("udp", 80, "UDP")],
    }),
    service("unnamed", { clusterIP: "10.0.0.21", ports: [{ protocol: "TCP", port: 8080 }] }),
    service("unnamedhdls", { clusterIP: "None", ports: [{ protocol: "TCP", port: 8080 }] }),
    service("allports", { clusterIP: "None" }),
    service("sctp", { clusterIP: "10.0.0.22", ports: [port("sig", 3868, "SCTP"), port("http", 80)] }),
    service("podnames", { clusterIP: "None", ports: [port("http", 80)] }),
    service("zoned", { clusterIP: "None", ports: [port("http", 80)] }),
    service("dotted", { clusterIP: "None", ports: [port("http", 80)] }),
    service("sharedname", { clusterIP: "None", ports: [port("http", 80), port("metrics", 9100)] }),
    service("notready", { clusterIP: "None", publishNotReadyAddresses: true, ports: [port("http", 80)] }),
    service("external-mixed", { type: "ExternalName", externalName: "ext.Interwebs.test.".toLowerCase().slice(0, -1) }),
    service("external-denied", { type: "ExternalName", externalName: "denied.interwebs.test" }),
    service("external-failing", { type: "ExternalName", externalName: "failing.interwebs.test" }),
    service("external-port", { type: "ExternalName", externalName: "ext.interwebs.test", ports: [port("http", 80)] }),
    service("external-to-headless", { type: "ExternalName", externalName: "hdls1.testns.svc.cluster.local" }),
    service("external-to-endpoint", { type: "ExternalName", externalName: "172-0-0-2.hdls1.testns.svc.cluster.local" }),
    service("external-to-apex", { type: "ExternalName", externalName: "cluster.local" }),
    service("external-to-unready", { type: "ExternalName", externalName: "hdlsunready.testns.svc.cluster.local" }),
    service("external-to-pod", { type: "ExternalName", externalName: "1-2-3-4.testns.pod.cluster.local" }),
    ...Array.from({ length: 14 }, (_, index) => chain(index, index === 0 ? "svc1" : `chain-${index - 1}`)),
  ].map(labelled),
  slices: [
    ...SLICES,
    slice("hdls1", ["172.0.1.2"], undefined, "IPv4", "other"),
    slice(
      "dualhdls",
      ["172.0.2.1", { address: "172.0.2.2", hostname: "both" }],
      [port("http", 80), port("dns", 53, "UDP")],
    ),
    slice(
      "dualhdls",
      ["2001:db8:2::1", { address: "2001:db8:2::2", hostname: "both" }],
      [port("http", 80), port("dns", 53, "UDP")],
      "IPv6",
    ),
    slice("dualeps", ["172.0.3.1"], [port("http", 8080), port("admin", 8081), port("udp", 8080, "UDP")]),
    slice("dualeps", ["2001:db8:3::1", "2001:db8:3::"], [port("http", 8080)], "IPv6"),
    slice("unnamed", ["172.0.4.1"], [{ name: "", protocol: "TCP", port: 8080 }]),
    slice("unnamedhdls", ["172.0.4.2"], [{ name: "", protocol: "TCP", port: 8080 }]),
    slice("sctp", ["172.0.4.3"], [port("sig", 3868, "SCTP"), port("http", 80)]),
    slice("podnames", [
      { address: "172.0.5.1", targetRef: ref("web-abc") },
      { address: "172.0.5.2", targetRef: ref("web-def"), hostname: "named" },
      { address: "172.0.5.3", targetRef: ref("w".repeat(64)) },
      { address: "172.0.5.4", targetRef: ref("dotted.name") },
    ]),
    slice("zoned", [
      { address: "172.0.6.1", zone: "a" },
      { address: "172.0.6.2", zone: "b" },
      { address: "172.0.6.3", zone: "b", conditions: { ready: false } },
      { address: "172.0.6.4" },
      { address: "172.0.6.5", zone: "a.b" },
      { address: "172.0.6.6", zone: "Upper", hostname: "up" },
    ]),
    slice("sharedname", [
      { address: "172.0.7.1", hostname: "one" },
      { address: "172.0.7.2", hostname: "two" },
    ]),
    slice(
      "sharedname",
      [{ address: "172.0.7.1", hostname: "one" }, { address: "172.0.7.3", hostname: "two" }, "172.0.7.4"],
      [port("metrics", 9100)],
    ),
    slice("notready", [
      { address: "172.0.8.1", conditions: { ready: true, serving: false, terminating: false } },
      { address: "172.0.8.2", conditions: { ready: true, serving: false, terminating: true } },
    ]),
    // Of the same pods as others, so that an address has several names.
    slice("allports", ["172.0.0.2", "172.0.7.1"], []),
    // At the cluster IP of another Service (DNS-044).
    slice("noselector", ["10.0.0.3"], [port("http", 80)]),
    slice("zoned", ["2001:db8:6::1"], undefined, "IPv6"),
  ].map(labelled),
  pods: [
    pod("one", ["172.0.9.1"]),
    pod("two", ["172.0.9.2", "2001:db8:9::2"]),
    pod("elsewhere", ["172.0.9.3"], "other"),
    pod("done", ["172.0.9.4"], "testns", "Succeeded"),
    pod("host-a", ["172.0.9.5"]),
    pod("host-b", ["172.0.9.5"]),
  ],
};
