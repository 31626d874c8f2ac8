import type { EndpointSlice } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, firstThree, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { sameJson } from "../meta/values.ts";
import { ipWarnings } from "../meta/warnings.ts";
import { endpointSlices } from "../resources.ts";
import { validate } from "./validate.ts";

const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const OUR_CONTROLLERS = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

function defaults(object: EndpointSlice): EndpointSlice {
  const { ports, endpoints } = object;
  return {
    ...object,
    ...(ports === undefined
      ? {}
      : { ports: ports.map((port) => ({ ...port, name: port.name ?? "", protocol: port.protocol || "TCP" })) }),
    // SVC-251: what was written in the place of older versions' topology is dropped. Conditions are there though none is said.
    ...(endpoints?.some((endpoint) => endpoint.deprecatedTopology !== undefined || endpoint.conditions === undefined)
      ? {
          endpoints: endpoints.map(({ deprecatedTopology: _topology, conditions = {}, ...endpoint }) => ({
            ...endpoint,
            conditions,
          })),
        }
      : {}),
  };
}

const content = ({ addressType, endpoints = [], ports = [] }: EndpointSlice): unknown => [
  addressType,
  endpoints,
  ports,
];

/** SVC-239: the generation moves with the content, and with labels, since a label says whose slice it is. */
function prepareForUpdate(next: EndpointSlice, previous: EndpointSlice): EndpointSlice {
  const slice = carry(next, previous);
  const changed =
    !sameJson(content(next), content(previous)) ||
    !sameJson(next.metadata.labels ?? {}, previous.metadata.labels ?? {});
  const generation = (previous.metadata.generation ?? 0) + (changed ? 1 : 0);
  return { ...slice, metadata: { ...slice.metadata, generation } };
}

function prepareForCreate(object: EndpointSlice): EndpointSlice {
  const slice = withoutServerFields(object);
  return { ...slice, metadata: { ...slice.metadata, generation: 1 } };
}

/** SVC-222 */
function warnings(next: EndpointSlice, previous: EndpointSlice | undefined): string[] {
  if (OUR_CONTROLLERS.includes(next.metadata.labels?.[MANAGED_BY] ?? "")) return [];
  if (next.addressType === "FQDN") {
    return previous === undefined ? ["spec.addressType: FQDN endpoints are deprecated"] : [];
  }
  return (next.endpoints ?? []).flatMap((endpoint, index) =>
    endpoint.addresses.flatMap((ip, at) => ipWarnings(`endpoints[${index}].addresses[${at}]`, ip)),
  );
}

/** SVC-335 */
function portsText({ ports = [] }: EndpointSlice): string {
  // A port of neither number nor name shows as nothing, since its name is the empty one.
  return (
    firstThree(ports.map((port) => (port.port === undefined ? (port.name ?? "*") : String(port.port)))) || "<unset>"
  );
}

/** SVC-336: readiness does not matter here. */
function endpointsText({ endpoints = [] }: EndpointSlice): string {
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses);
  return addresses.length === 0 ? "<unset>" : firstThree(addresses);
}

export const endpointSlice: Kind<EndpointSlice> = {
  ...endpointSlices,
  singular: "endpointslice",
  shortNames: [],
  categories: [],
  type: "EndpointSlice",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults,
  prepareForCreate,
  prepareForUpdate,
  validate,
  warnings,
  columns: [
    nameColumn,
    column("AddressType", "What its addresses are."),
    column("Ports", "The first three ports."),
    column("Endpoints", "The first three addresses, ready or not."),
    ageColumn,
  ],
  row: (object, nowMs) => [
    nameOf(object),
    object.addressType,
    portsText(object),
    endpointsText(object),
    age(object, nowMs),
  ],
  selectableFields: namespacedFields,
};
