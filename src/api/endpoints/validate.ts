import { invalid, required, type Fault } from "../fault.ts";
import type { CoreEndpointPort, EndpointAddress, Endpoints, EndpointSubset } from "../generated/types.ts";
import { checked, checkedDestination, oneOf } from "../meta/check.ts";
import { lenientIP } from "../meta/ip.ts";
import { checkLabel, checkQualifiedName, checkSubdomain, isPortNumber, portRange } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { sameJson } from "../meta/values.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

const validateAddress = (address: EndpointAddress, field: string, before: readonly string[]): Fault[] => [
  ...checkedDestination(`${field}.ip`, address.ip, before),
  // Told a second time, of stored values too, as clients of upstream hear it.
  ...(lenientIP(address.ip) === undefined ? [invalid(`${field}.ip`, address.ip, "must be a valid IP address")] : []),
  ...(address.hostname ? checked(checkLabel, `${field}.hostname`, address.hostname) : []),
  ...(address.nodeName === undefined ? [] : checked(checkSubdomain, `${field}.nodeName`, address.nodeName)),
];

function validatePort(port: CoreEndpointPort, field: string, nameNeeded: boolean): Fault[] {
  const faults: Fault[] = [];
  if (port.name) faults.push(...checked(checkLabel, `${field}.name`, port.name));
  else if (nameNeeded) faults.push(required(`${field}.name`));
  if (!isPortNumber(port.port)) faults.push(invalid(`${field}.port`, port.port, portRange));
  faults.push(...oneOf(`${field}.protocol`, port.protocol, PROTOCOLS));
  if (port.appProtocol !== undefined) {
    faults.push(...checked(checkQualifiedName, `${field}.appProtocol`, port.appProtocol));
  }
  return faults;
}

function validateSubset(subset: EndpointSubset, field: string, before: readonly string[]): Fault[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const faults =
    addresses.length + notReadyAddresses.length === 0
      ? [required(field, "must specify `addresses` or `notReadyAddresses`")]
      : [];
  return [
    ...faults,
    ...addresses.flatMap((address, index) => validateAddress(address, `${field}.addresses[${index}]`, before)),
    ...notReadyAddresses.flatMap((address, index) =>
      validateAddress(address, `${field}.notReadyAddresses[${index}]`, before),
    ),
    ...ports.flatMap((port, index) => validatePort(port, `${field}.ports[${index}]`, ports.length > 1)),
  ];
}

/** SVC-228 … SVC-234. Subsets that an update does not touch are not judged again (SVC-233). */
export function validate(next: Endpoints, previous: Endpoints | undefined): Fault[] {
  const faults = validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain });
  const subsets = next.subsets ?? [];
  const old = previous?.subsets ?? [];
  if (previous !== undefined && sameJson(subsets, old)) return faults;
  const before = old.flatMap((subset) =>
    [...(subset.addresses ?? []), ...(subset.notReadyAddresses ?? [])].map((address) => address.ip),
  );
  return [...faults, ...subsets.flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`, before))];
}
