import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPAddress, Service, ServiceSpec } from "../../api/generated/types.ts";
import { addressObject } from "../claims/service-claims.ts";
import { decideAddress, decideService, type AddressFinding, type AddressSurroundings } from "./addresses.ts";

const NOW = Date.UTC(2026, 0, 1);
const at = (ageMs: number): string => new Date(NOW - ageMs).toISOString();

const service = (name: string, clusterIPs: string[], spec: Partial<ServiceSpec> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "default", name },
  spec: { type: "ClusterIP", clusterIP: clusterIPs[0], clusterIPs, ...spec },
});
const address = (ip: string, name: string, ageMs = 0): IPAddress =>
  addressObject(ip, { namespace: "default", name }, "uid", at(ageMs));

const around = (services: Service[], addresses: IPAddress[]): AddressSurroundings => ({
  address: (ip) => addresses.find(({ metadata }) => metadata.name === ip),
  service: (place) =>
    services.find(({ metadata }) => metadata.namespace === place.namespace && metadata.name === place.name),
  isInRange: (ip) => ip.startsWith("10.0.") || ip.startsWith("fd00::"),
});

/** `ClusterIPNotAllocated on web, claim` */
const said = ({ complaint, repair }: AddressFinding): string =>
  [complaint === undefined ? "nothing" : `${complaint.reason} on ${complaint.about.metadata.name}`, repair?.type]
    .filter(Boolean)
    .join(", ");
const ofService = (one: Service, services: Service[], addresses: IPAddress[]): string[] =>
  decideService(one, around([one, ...services], addresses)).map(said);

void test("decideService: a Service whose IPAddresses are as they should be, one without addresses, and one by another name", () => {
  const web = service("web", ["10.0.0.1", "fd00::1"]);
  assert.deepEqual(ofService(web, [], [address("10.0.0.1", "web"), address("fd00::1", "web")]), []);
  assert.deepEqual(ofService(service("web", ["None"]), [], []), []);
  assert.deepEqual(ofService(service("web", [], { type: "ExternalName" }), [], []), []);
});

void test("SVC-128: a Service that keeps another form of its address holds the canonical one", () => {
  assert.deepEqual(ofService(service("web", ["fd00::0001"]), [], [address("fd00::1", "web")]), []);
});

void test("SVC-262, SVC-275: a missing IPAddress is told of and claimed, each family by itself", () => {
  const web = service("web", ["10.0.0.1", "fd00::1"]);
  assert.deepEqual(ofService(web, [], [address("10.0.0.1", "web")]), ["ClusterIPNotAllocated on web, claim"]);
  const [finding] = decideService(web, around([web], [address("10.0.0.1", "web")]));
  assert.match(finding!.complaint!.message, /\[IPv6\].*fd00::1/);
});

void test("SVC-275: an address that is none, and one outside every range, are told of and let alone", () => {
  assert.deepEqual(ofService(service("web", ["10.0.0.300"]), [], []), ["ClusterIPNotValid on web"]);
  assert.deepEqual(ofService(service("web", ["10.9.0.1"]), [], []), ["ClusterIPOutOfRange on web"]);
});

void test("SVC-275: an IPAddress that says it is for something else is replaced; one of a Service that holds it too is not", () => {
  const web = service("web", ["10.0.0.1"]);
  const wrong = address("10.0.0.1", "gone");
  assert.deepEqual(ofService(web, [], [wrong]), ["ClusterIPNotAllocated on web, claim"]);
  const other = { ...wrong, spec: { parentRef: { group: "x.io", resource: "routers", name: "web" } } };
  assert.deepEqual(ofService(web, [], [other]), ["ClusterIPNotAllocated on web, claim"]);
  assert.deepEqual(ofService(web, [service("gone", ["10.0.0.2"])], [wrong]), ["ClusterIPNotAllocated on web, claim"]);
  assert.deepEqual(ofService(web, [service("gone", ["10.0.0.1"])], [wrong]), ["ClusterIPAlreadyAllocated on web"]);
  const [finding] = decideService(web, around([web], [wrong]));
  assert.equal(finding?.repair?.type === "claim" && finding.repair.replaces, wrong);
});

void test("SVC-260: an IPAddress that has lost its labels gets them back, without a word", () => {
  const { labels: _, ...metadata } = address("10.0.0.1", "web").metadata;
  const bare = { ...address("10.0.0.1", "web"), metadata };
  assert.deepEqual(ofService(service("web", ["10.0.0.1"]), [], [bare]), ["nothing, claim"]);
});

const ofAddress = (one: IPAddress, services: Service[]): [string | undefined, number | undefined] => {
  const { finding, againInMs } = decideAddress(one, around(services, [one]), NOW);
  return [finding && said(finding), againInMs];
};

void test("SVC-277: an IPAddress without its Service goes once it is older than 60 s, and is looked at again just then", () => {
  const leaked = "IPAddressNotAllocated on 10.0.0.1, remove";
  assert.deepEqual(ofAddress(address("10.0.0.1", "gone", 60_001), []), [leaked, undefined]);
  assert.deepEqual(ofAddress(address("10.0.0.1", "gone", 60_000), []), [undefined, 1]);
  assert.deepEqual(ofAddress(address("10.0.0.1", "gone", 10_000), []), [undefined, 50_001]);
  assert.deepEqual(ofAddress(address("10.0.0.1", "gone", -3_600_000), []), [undefined, 60_000], "a clock set back");
});

void test("SVC-276: an IPAddress that is for no Service, or for one that does not list it", () => {
  const one = address("10.0.0.1", "web");
  const other = { ...one, spec: { parentRef: { resource: "routers", name: "r" } } };
  assert.deepEqual(ofAddress(other, []), ["IPAddressNotAllocated on 10.0.0.1, remove", undefined]);
  const wrong = "IPAddressWrongReference on 10.0.0.1, remove";
  assert.deepEqual(ofAddress(one, [service("web", ["10.0.0.2"])]), [wrong, undefined]);
  assert.deepEqual(ofAddress(one, [service("web", [], { type: "ExternalName" })]), [wrong, undefined]);
  assert.deepEqual(ofAddress(one, [service("web", ["10.0.0.1"])]), [undefined, undefined]);
});

void test("SVC-261: an IPAddress that people made is theirs", () => {
  const { labels: _, ...metadata } = address("10.0.0.1", "gone", 3_600_000).metadata;
  assert.deepEqual(ofAddress({ ...address("10.0.0.1", "gone"), metadata }, []), [undefined, undefined]);
});
