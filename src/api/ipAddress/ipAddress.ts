import { invalid, required, type Fault } from "../fault.ts";
import type { IPAddress } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, column, nameColumn, nameOf } from "../meta/columns.ts";
import { clusterFields } from "../meta/fields.ts";
import { checkCanonicalIP } from "../meta/ip.ts";
import { checkPathSegment, checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { sameJson } from "../meta/values.ts";
import { ipAddresses } from "../resources.ts";

function validateParent({ spec }: IPAddress): Fault[] {
  const parent = spec?.parentRef;
  const field = "spec.parentRef";
  if (parent === undefined) return [required(field)];
  const faults: Fault[] = [];
  const segment = (name: "resource" | "name" | "namespace"): void => {
    const value = parent[name] ?? "";
    faults.push(...checkPathSegment(value).map((why) => invalid(`${field}.${name}`, value, why)));
  };
  if (parent.group)
    faults.push(...checkSubdomain(parent.group).map((why) => invalid(`${field}.group`, parent.group, why)));
  if (!parent.resource) faults.push(required(`${field}.resource`));
  else segment("resource");
  if (!parent.name) faults.push(required(`${field}.name`));
  else segment("name");
  if (parent.namespace) segment("namespace");
  return faults;
}

/** How the message names the fields of a reference. */
const shown = ({ spec }: IPAddress): object => {
  const parent = spec?.parentRef;
  return {
    Group: parent?.group ?? "",
    Resource: parent?.resource ?? "",
    Namespace: parent?.namespace ?? "",
    Name: parent?.name ?? "",
  };
};

const validateChange = (next: IPAddress, previous: IPAddress): Fault[] =>
  sameJson(next.spec?.parentRef, previous.spec?.parentRef)
    ? []
    : [invalid("spec.parentRef", shown(next), "field is immutable")];

/** SVC-339: `services/default/web`, of which the resource and its group are in small letters. */
function parentText({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (parent === undefined) return "<none>";
  const resource = parent.group ? `${parent.resource}.${parent.group}` : parent.resource;
  const name = parent.namespace ? `${parent.namespace}/${parent.name}` : parent.name;
  return `${resource.toLowerCase()}/${name}`;
}

export const ipAddress: Kind<IPAddress> = {
  ...ipAddresses,
  singular: "ipaddress",
  shortNames: ["ip"],
  categories: [],
  type: "IPAddress",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  // Nothing could be added to an address.
  generatesNames: false,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    // The name is the claim on the address, so one address must have one name (SVC-256).
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: false, checkName: checkCanonicalIP }),
    ...validateParent(next),
    ...(previous === undefined ? [] : validateChange(next, previous)),
  ],
  // SVC-315: the age is a third cell without a column of its own.
  columns: [nameColumn, column("ParentRef", "The object that holds the address.")],
  row: (object, nowMs) => [nameOf(object), parentText(object), age(object, nowMs)],
  selectableFields: clusterFields,
};
