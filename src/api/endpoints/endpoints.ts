import type { Endpoints, EndpointSubset } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, firstThree, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { hostPort } from "../meta/hostPort.ts";
import { ipWarnings } from "../meta/warnings.ts";
import { endpoints as resource } from "../resources.ts";
import { validate } from "./validate.ts";

/** Said to every request for Endpoints, reads and watches included (SVC-220); the server adds it beside `warnings`. */
export const DEPRECATED = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";

const withProtocols = (subset: EndpointSubset): EndpointSubset =>
  subset.ports === undefined
    ? subset
    : { ...subset, ports: subset.ports.map((port) => ({ ...port, protocol: port.protocol || "TCP" })) };

/** SVC-333, SVC-334: ready addresses only, each with each port of its subset. */
function endpointsText({ subsets }: Endpoints): string {
  if (subsets === undefined || subsets.length === 0) return "<none>";
  const texts = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port))),
  );
  return firstThree(texts);
}

/** SVC-221 */
function warnings(object: Endpoints): string[] {
  if (object.metadata.labels?.[MANAGED_BY] === "endpoint-controller") return [];
  return (object.subsets ?? []).flatMap((subset, index) =>
    (["addresses", "notReadyAddresses"] as const).flatMap((field) =>
      (subset[field] ?? []).flatMap(({ ip }, at) => ipWarnings(`subsets[${index}].${field}[${at}].ip`, ip)),
    ),
  );
}

/** SVC-225 … SVC-236. The server stores subsets as written: packing them is for controllers (SVC-235). */
export const endpoints: Kind<Endpoints> = {
  ...resource,
  singular: "endpoints",
  shortNames: ["ep"],
  categories: [],
  type: "Endpoints",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  defaults: (object) =>
    object.subsets === undefined ? object : { ...object, subsets: object.subsets.map(withProtocols) },
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate,
  warnings,
  columns: [nameColumn, column("Endpoints", "Ready addresses with their ports, the first three."), ageColumn],
  row: (object, nowMs) => [nameOf(object), endpointsText(object), age(object, nowMs)],
  selectableFields: namespacedFields,
};
