import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import { canonicalIP, familyOf, toNumber } from "../../../src/net/ip.ts";
import type { Question } from "./answers.ts";
import type { Objects } from "./cluster.ts";

export const TYPES = ["A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "SOA", "NS", "MX", "ANY", "TYPE65"];

/** Answers numbers from 0 up to, not including, 1: always the same ones, so that a difference is found again. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const dashed = (ip: string): string => ip.replaceAll(/[.:]/g, "-");

/** The name of an address in the reverse zones (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseOf(ip: string): string {
  if (familyOf(ip) === "IPv4") return `${ip.split(".").toReversed().join(".")}.in-addr.arpa`;
  const digits = toNumber(ip).toString(16).padStart(32, "0");
  return `${digits.split("").toReversed().join(".")}.ip6.arpa`;
}

const PROTOCOLS = ["tcp", "udp", "sctp"];

/** Names that a Service and its endpoints have, and some beside them that they have not. */
function namesOf(service: Service, slices: readonly EndpointSlice[], zone: string): string[] {
  const { name = "", namespace = "" } = service.metadata;
  const base = `${name}.${namespace}.svc.${zone}`;
  const own = slices.filter(
    ({ metadata }) => metadata.namespace === namespace && metadata.labels?.["kubernetes.io/service-name"] === name,
  );
  const endpoints = own.flatMap((slice) => slice.endpoints ?? []);
  const labels = endpoints.flatMap(({ addresses, hostname, targetRef }) => [
    ...addresses
      .filter((ip) => familyOf(ip) !== undefined)
      .flatMap((ip) => [dashed(canonicalIP(ip)), `${dashed(canonicalIP(ip))}0`, dashed(ip)]),
    ...(hostname === undefined ? [] : [hostname]),
    ...(targetRef?.name === undefined ? [] : [targetRef.name]),
  ]);
  const ports = [
    ...(service.spec?.ports ?? []).map((port) => port.name ?? ""),
    ...own.flatMap((slice) => (slice.ports ?? []).map((port) => port.name ?? "")),
    "http",
    "nosuch",
  ].filter((port) => port !== "");
  const first = labels[0] ?? "bogus";
  return [
    base,
    ...labels.map((label) => `${label}.${base}`),
    `bogus.${base}`,
    ...ports.flatMap((port) =>
      PROTOCOLS.flatMap((protocol) => [
        `_${port}._${protocol}.${base}`,
        `${port}.${protocol}.${base}`,
        `_${port}.${protocol}.${base}`,
      ]),
    ),
    ...PROTOCOLS.map((protocol) => `_${protocol}.${base}`),
    `_${ports[0]}._tcp.${first}.${base}`,
    `*.${base}`,
    ...["a", "b", "nowhere"].flatMap((where) => [`${where}.pin._zone.${base}`, `${where}.prefer._zone.${base}`]),
    `a.b.pin._zone.${base}`,
    `a.other._zone.${base}`,
    `pin._zone.${base}`,
    `_zone.${base}`,
  ];
}

/** Every form of name that DNS knows, for all that there is and some that there is not. */
export function namesFor(objects: Objects, zone = "cluster.local"): string[] {
  const spaces = [...objects.namespaces.map(({ metadata }) => metadata.name ?? ""), "nons"];
  const addresses = [
    ...objects.services.flatMap(({ spec }) => [
      ...(spec?.clusterIPs ?? []),
      spec?.clusterIP ?? "",
      ...(spec?.externalIPs ?? []),
    ]),
    ...objects.slices.flatMap((slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)),
    ...objects.pods.flatMap(({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip ?? "")),
    "203.0.113.9",
    "2001:db8:9::9",
  ]
    .filter((ip) => familyOf(ip) !== undefined)
    .map(canonicalIP);
  const reverses = [...new Set(addresses)].map(reverseOf);
  return [
    ...new Set([
      zone,
      ...["svc", "pod", "dns", "ns.dns", "x.ns.dns", "y.dns", "dns-version", "x.dns-version", "foo", "a.b.foo"].map(
        (label) => `${label}.${zone}`,
      ),
      ...spaces.flatMap((space) => [
        `${space}.svc.${zone}`,
        `${space}.pod.${zone}`,
        `${space}.${zone}`,
        `svc0.${space}.svc.${zone}`,
        `x.svc0.${space}.svc.${zone}`,
        `_http._tcp.svc0.${space}.svc.${zone}`,
        `*.${space}.svc.${zone}`,
        `nopod.${space}.pod.${zone}`,
        `1-2-3-4.${space}.pod.${zone}`,
        `1-2-3-400.${space}.pod.${zone}`,
        `1-2-3.${space}.pod.${zone}`,
        `1-2-3-4-5.${space}.pod.${zone}`,
        `01-2-3-4.${space}.pod.${zone}`,
        `1234-abcd--1.${space}.pod.${zone}`,
        `1234-abcd--0.${space}.pod.${zone}`,
        `--1.${space}.pod.${zone}`,
        `x.1-2-3-4.${space}.pod.${zone}`,
      ]),
      ...[...new Set(addresses)].flatMap((ip) =>
        spaces.slice(0, 2).map((space) => `${dashed(ip)}.${space}.pod.${zone}`),
      ),
      ...objects.services.flatMap((each) => namesOf(each, objects.slices, zone)),
      ...reverses,
      ...reverses.slice(0, 6).flatMap((name) => [name.slice(name.indexOf(".") + 1), `x.${name}`, `1.${name}`]),
      "in-addr.arpa",
      "ip6.arpa",
      "300.0.0.10.in-addr.arpa",
      "01.0.0.10.in-addr.arpa",
      "x.0.0.10.in-addr.arpa",
      // What a search list makes of whole names (DNS-079).
      `svc1.testns.svc.${zone}.testns.svc.${zone}`,
      `svc1.testns.svc.${zone}.svc.${zone}`,
      `svc1.testns.svc.${zone}.${zone}`,
      `example.com.testns.svc.${zone}`,
    ]),
  ];
}

/** One change to a name, of those that people and programs make. */
function mutated(name: string, random: () => number): string {
  const labels = name.split(".");
  const at = Math.floor(random() * labels.length);
  const extra = ["a", "*", "_tcp", "_", "x-1", "0", "svc", "pod", "any", "a".repeat(63)][Math.floor(random() * 10)]!;
  const changes: (() => string[])[] = [
    () => [extra, ...labels],
    () => labels.toSpliced(at, 0, extra),
    () => labels.toSpliced(at, 1),
    () => labels.with(at, "*"),
    () => labels.with(at, `_${labels[at]}`),
    () => labels.with(at, labels[at]!.replace(/^_/, "")),
    () => ["a", "b", "c", ...labels],
    () => labels.with(at, labels[at]!.slice(1) || "y"),
    () => labels.with(at, `${labels[at]}x`.slice(-63)),
    () => labels.toSpliced(at, 0, labels[at]!),
  ];
  const changed = changes[Math.floor(random() * changes.length)]!().join(".");
  return changed.length > 250 ? name : changed;
}

const spelled = (name: string, random: () => number): string =>
  name
    .split("")
    .map((letter) => (random() < 0.5 ? letter.toUpperCase() : letter))
    .join("");

/** All types for each name, and mutated and otherwise spelled names for some; `mutations` for each name. */
export function questionsFor(
  names: readonly string[],
  types: readonly string[],
  mutations: number,
  seed: number,
): Question[] {
  const random = generator(seed);
  const pick = (): string => types[Math.floor(random() * types.length)]!;
  const whole = names.flatMap((name) => types.map((type) => ({ name, type })));
  const others = names.flatMap((name) =>
    Array.from({ length: mutations }, () => ({ name: mutated(name, random), type: random() < 0.5 ? "A" : pick() })),
  );
  const spellings = names.map((name) => ({ name: spelled(name, random), type: pick() }));
  // Longer ones cannot be asked for.
  const asked = [...whole, ...others, ...spellings];
  // Whether a name is there at all is told by its answer for addresses.
  const all = [...asked, ...asked.map(({ name }) => ({ name, type: "A" }))].filter(({ name }) =>
    name.split(".").every((label) => label !== "" && label.length < 64),
  );
  return [...new Map(all.map((question) => [`${question.name} ${question.type}`, question])).values()];
}
