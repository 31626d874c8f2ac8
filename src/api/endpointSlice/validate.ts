import { duplicate, invalid, notSupported, required, tooMany, type Fault } from "../fault.ts";
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from "../generated/types.ts";
import { checked, oneOf } from "../meta/check.ts";
import { checkCanonicalIP, checkIP, lenientIP, specialRange } from "../meta/ip.ts";
import { checkFqdn, checkLabel, checkLabelValue, checkQualifiedName, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { sameJson } from "../meta/values.ts";

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const ENDPOINTS_MAXIMUM = 1000;
const ADDRESSES_MAXIMUM = 100;
const PORTS_MAXIMUM = 20_000;
const HINTS_MAXIMUM = 8;

/** SVC-243 … SVC-245. IPv6 is held to its canonical form here, and nowhere else. */
function validateAddress(address: string, type: string, list: string, index: number): Fault[] {
  const field = `${list}[${index}]`;
  if (type === "FQDN") return address === "" ? [required(field)] : checked(checkFqdn, field, address);
  const isV6 = lenientIP(address)?.includes(":") === true;
  const syntax = type === "IPv6" && isV6 ? checkCanonicalIP : checkIP;
  const faults = checked(syntax, field, address);
  if (faults.length > 0) return faults;
  if (isV6 !== (type === "IPv6")) {
    return [invalid(list, address, `must be an ${type} address`)];
  }
  return checked(specialRange, field, address);
}

function validateHintList(
  hints: EndpointHints,
  name: "forZones" | "forNodes",
  check: typeof checkLabelValue,
  field: string,
): Fault[] {
  const list = hints[name] ?? [];
  if (list.length > HINTS_MAXIMUM) return [tooMany(`${field}.${name}`, list.length, HINTS_MAXIMUM)];
  const seen = new Set<string>();
  return list.flatMap((hint, index) => {
    const at = `${field}.${name}[${index}].name`;
    const faults = checked(check, at, hint.name);
    if (seen.has(hint.name)) faults.unshift(duplicate(at, hint.name));
    seen.add(hint.name);
    return faults;
  });
}

function validateEndpoint(endpoint: Endpoint, type: string, field: string): Fault[] {
  const { addresses, hints, hostname, nodeName } = endpoint;
  const list = `${field}.addresses`;
  const faults: Fault[] = [];
  if (addresses.length === 0) faults.push(required(list, "must contain at least 1 address"));
  else if (addresses.length > ADDRESSES_MAXIMUM) faults.push(tooMany(list, addresses.length, ADDRESSES_MAXIMUM));
  else faults.push(...addresses.flatMap((address, index) => validateAddress(address, type, list, index)));
  if (nodeName !== undefined) faults.push(...checked(checkSubdomain, `${field}.nodeName`, nodeName));
  if (hostname !== undefined) faults.push(...checked(checkLabel, `${field}.hostname`, hostname));
  if (hints !== undefined) {
    faults.push(...validateHintList(hints, "forZones", checkLabelValue, `${field}.hints`));
    faults.push(...validateHintList(hints, "forNodes", checkSubdomain, `${field}.hints`));
  }
  return faults;
}

/** SVC-250: the port number itself is free, and may be missing to mean all ports. */
function validatePorts(ports: readonly EndpointPort[]): Fault[] {
  if (ports.length > PORTS_MAXIMUM) return [tooMany("ports", ports.length, PORTS_MAXIMUM)];
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const field = `ports[${index}]`;
    const name = port.name ?? "";
    const faults = name === "" ? [] : checked(checkLabel, `${field}.name`, name);
    if (names.has(name)) faults.push(duplicate(`${field}.name`, name));
    names.add(name);
    faults.push(...oneOf(`${field}.protocol`, port.protocol, PROTOCOLS));
    if (port.appProtocol !== undefined) {
      faults.push(...checked(checkQualifiedName, `${field}.appProtocol`, port.appProtocol));
    }
    return faults;
  });
}

function validateAddressType(next: EndpointSlice, previous: EndpointSlice | undefined): Fault[] {
  const type = next.addressType;
  if (!type) return [required("addressType")];
  if (!ADDRESS_TYPES.includes(type)) return [notSupported("addressType", type, ADDRESS_TYPES)];
  return previous !== undefined && previous.addressType !== type
    ? [invalid("addressType", type, "field is immutable")]
    : [];
}

function validateEndpoints(next: EndpointSlice, previous: EndpointSlice | undefined): Fault[] {
  const endpoints = next.endpoints ?? [];
  // SVC-246: what an update does not touch is not judged again.
  if (previous !== undefined && sameJson(endpoints, previous.endpoints ?? [])) return [];
  if (endpoints.length > ENDPOINTS_MAXIMUM) return [tooMany("endpoints", endpoints.length, ENDPOINTS_MAXIMUM)];
  return endpoints.flatMap((endpoint, index) => validateEndpoint(endpoint, next.addressType, `endpoints[${index}]`));
}

/** SVC-238 … SVC-253 */
export const validate = (next: EndpointSlice, previous: EndpointSlice | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
  ...validateAddressType(next, previous),
  ...validateEndpoints(next, previous),
  ...validatePorts(next.ports ?? []),
];
