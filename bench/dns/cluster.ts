/** The cluster whose names are asked for: as objects for an API server, as a zone file, and as queries for dnsperf. */
import { endpointSlices, namespaces, services } from "../../src/api/resources.ts";
import type { EndpointSlice, Namespace, Service } from "../../src/api/generated/types.ts";
import type { Client } from "../../src/client/client.ts";

export const ZONE = "cluster.local";
export const NAMESPACE = "bench";
/** Of each Service; so 10,000 Services have 100,000. */
export const ENDPOINTS = 10;
/** Of the one headless Service that is asked for. */
export const MANY = 100;
const HEADLESS = 20;
const CLIENTS = 50;
const DOMAIN = `${NAMESPACE}.svc.${ZONE}`;
/** A name that every server of the cluster's names knows. */
export const KNOWN = `headless0.${DOMAIN}`;

/** The last three bytes of a number, as in an address. */
const octets = (number: number): string => `${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
const clusterIP = (number: number): string => `10.${octets((96 << 16) + 1000 + number)}`;
/** Endpoints of ordinary Services count up from 10.128.0.0, those of headless ones from 10.200.0.0. */
const endpointIP = (number: number, at: number): string => `10.${octets((128 << 16) + number * ENDPOINTS + at)}`;
const headlessIP = (number: number, at: number): string => `10.${octets((200 << 16) + number * 256 + at)}`;

export interface Subject {
  readonly name: string;
  readonly clusterIP: string;
  readonly endpoints: readonly string[];
}

/** Ordinary Services first; then headless ones, of which the first has 100 endpoints. */
export const subjectsOf = (size: number): Subject[] => [
  ...Array.from({ length: size }, (_, number) => ({
    name: `s${number}`,
    clusterIP: clusterIP(number),
    endpoints: Array.from({ length: ENDPOINTS }, (__, at) => endpointIP(number, at)),
  })),
  ...Array.from({ length: HEADLESS }, (_, number) => ({
    name: `headless${number}`,
    clusterIP: "None",
    endpoints: Array.from({ length: number === 0 ? MANY : 5 }, (__, at) => headlessIP(number, at)),
  })),
];

export const serviceOf = ({ name, clusterIP: ip }: Subject): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: NAMESPACE, name },
  spec: { clusterIP: ip, ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }] },
});

export const sliceOf = ({ name, endpoints }: Subject): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { namespace: NAMESPACE, name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: endpoints.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
});

/** `each` for all of these, by some clients at once. */
export async function all<T>(subjects: readonly T[], each: (subject: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < subjects.length; at = next++) await each(subjects[at]!);
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
}

/** Writes the cluster of a size, on top of a smaller one that is there. */
export async function fill(client: Client, size: number, from = 0): Promise<void> {
  const namespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  if (from === 0) await client.create(namespaces, namespace);
  const isNew = ({ name }: Subject): boolean =>
    name.startsWith("headless") ? from === 0 : Number(name.slice(1)) >= from;
  await all(subjectsOf(size).filter(isNew), async (subject) => {
    await client.create(services, serviceOf(subject));
    await client.create(endpointSlices, sliceOf(subject));
  });
}

const dashed = (ip: string): string => ip.replaceAll(".", "-");
const reversed = (ip: string): string => `${ip.split(".").reverse().join(".")}.in-addr.arpa`;

/** The same records by the name of their zone, in the form of RFC 1035 §5. */
export function zoneFiles(size: number): Map<string, string> {
  const soa = (zone: string): string[] => [
    `$ORIGIN ${zone}.`,
    "$TTL 30",
    `@ IN SOA ns.dns.${ZONE}. hostmaster.${ZONE}. 1 7200 1800 86400 30`,
    `@ IN NS ns.dns.${ZONE}.`,
  ];
  const names = [...soa(ZONE), "ns.dns IN A 127.0.0.1"];
  const addresses = soa("10.in-addr.arpa");
  for (const { name, clusterIP: ip, endpoints } of subjectsOf(size)) {
    const own = `${name}.${DOMAIN}.`;
    for (const address of ip === "None" ? endpoints : [ip]) names.push(`${own} IN A ${address}`);
    if (ip !== "None") {
      for (const owner of [own, `_http._tcp.${own}`]) names.push(`${owner} IN SRV 0 100 80 ${own}`);
      addresses.push(`${reversed(ip)}. IN PTR ${own}`);
    }
    for (const address of endpoints) {
      const endpoint = `${dashed(address)}.${own}`;
      names.push(`${endpoint} IN A ${address}`, `${endpoint} IN SRV 0 100 8080 ${endpoint}`);
      addresses.push(`${reversed(address)}. IN PTR ${endpoint}`);
    }
  }
  const text = (lines: readonly string[]): string => `${lines.join("\n")}\n`;
  return new Map([
    [ZONE, text(names)],
    ["10.in-addr.arpa", text(addresses)],
  ]);
}

/** How many names are asked for again and again. */
const HOT = 100;
const hot = (line: (at: number) => string): string[] => Array.from({ length: HOT }, (_, at) => line(at));
const absolute = (name: string): string => `${name}.${DOMAIN}`;

/** Lines for dnsperf. */
export const questions = {
  cached: (): string[] => hot((at) => `${absolute(`s${at}`)} A`),
  services: (size: number): string[] => Array.from({ length: size }, (_, at) => `${absolute(`s${at}`)} A`),
  headless: (): string[] => [`${absolute("headless0")} A`],
  srv: (): string[] => hot((at) => `_http._tcp.${absolute(`s${at}`)} SRV`),
  absent: (): string[] => hot((at) => `${absolute(`absent${at}`)} A`),
  /** More than any of the caches holds, even of 1,000 Services (44,000). */
  everything: (size: number): string[] =>
    subjectsOf(size)
      .filter(({ name }) => name.startsWith("s"))
      .flatMap(({ name, clusterIP: ip, endpoints }) => {
        const own = absolute(name);
        const asked = [own, ...endpoints.map((address) => `${dashed(address)}.${own}`)];
        return [
          ...asked.flatMap((owner) => [`${owner} A`, `${owner} AAAA`, `${owner} SRV`]),
          ...[ip, ...endpoints].map((address) => `${reversed(address)} PTR`),
        ];
      }),
};
