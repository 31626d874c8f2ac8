import { invalid, notSupported, required, type Fault } from "../fault.ts";
import type { ClusterRoleBinding, RoleBinding, RoleRef, Subject } from "../generated/types.ts";
import type { Cell, Column } from "../kind.ts";
import { checked } from "../meta/check.ts";
import { age, ageColumn, column, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { checkPathSegment, checkSubdomain } from "../meta/names.ts";
import { sameJson } from "../meta/values.ts";

/** What RoleBindings and ClusterRoleBindings have in common. */
type Binding = RoleBinding | ClusterRoleBinding;

const GROUP = "rbac.authorization.k8s.io";

const withGroup = (subject: Subject): Subject =>
  !subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")
    ? { ...subject, apiGroup: GROUP }
    : subject;

/** A role as it was meant; a writer may have left it out. */
const wholeRoleRef = (given: RoleRef | undefined): RoleRef => ({
  kind: "",
  name: "",
  ...given,
  apiGroup: given?.apiGroup || GROUP,
});

/** Names the group of the role and of users and groups, which is always the same one. ServiceAccounts are of the core group. */
export const defaultBinding = <T extends Binding>(object: T): T => ({
  ...object,
  roleRef: wholeRoleRef(object.roleRef),
  ...(object.subjects === undefined ? {} : { subjects: object.subjects.map(withGroup) }),
});

function validateSubject(subject: Subject, field: string, namespaced: boolean): Fault[] {
  const { kind, name, namespace, apiGroup = "" } = subject;
  const faults = name === "" ? [required(`${field}.name`)] : [];
  if (kind === "ServiceAccount") {
    if (name !== "") faults.push(...checked(checkSubdomain, `${field}.name`, name));
    if (apiGroup !== "") faults.push(notSupported(`${field}.apiGroup`, apiGroup, [""]));
    // Within a namespace its own is meant when none is given.
    if (!namespaced && !namespace) faults.push(required(`${field}.namespace`));
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== GROUP) faults.push(notSupported(`${field}.apiGroup`, apiGroup, [GROUP]));
  } else faults.push(notSupported(`${field}.kind`, kind, ["ServiceAccount", "User", "Group"]));
  return faults;
}

/** Role and subjects of a binding; the role of a binding is for good. */
export function validateBinding<T extends Binding>(next: T, previous: T | undefined, namespaced: boolean): Fault[] {
  const { apiGroup = "", kind, name } = next.roleRef;
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  const faults: Fault[] = [];
  if (apiGroup !== GROUP) faults.push(notSupported("roleRef.apiGroup", apiGroup, [GROUP]));
  if (!kinds.includes(kind)) faults.push(notSupported("roleRef.kind", kind, kinds));
  if (name === "") faults.push(required("roleRef.name"));
  else faults.push(...checked(checkPathSegment, "roleRef.name", name));
  faults.push(
    ...(next.subjects ?? []).flatMap((subject, index) => validateSubject(subject, `subjects[${index}]`, namespaced)),
  );
  if (previous !== undefined && !sameJson(next.roleRef, previous.roleRef)) {
    // As upstream shows it: by its own names of the fields.
    const shown = { APIGroup: apiGroup, Kind: kind, Name: name };
    faults.push(invalid("roleRef", shown, "cannot change roleRef"));
  }
  return faults;
}

export const bindingColumns: readonly Column[] = [
  nameColumn,
  column("Role", "The role that the subjects have."),
  ageColumn,
  wideColumn("Users", "Users who have the role."),
  wideColumn("Groups", "Groups whose users have the role."),
  wideColumn("ServiceAccounts", "ServiceAccounts that have the role."),
];

export function bindingRow(object: Binding, nowMs: number): Cell[] {
  const named = (kind: string): Subject[] => (object.subjects ?? []).filter((subject) => subject.kind === kind);
  const names = (kind: string): string =>
    named(kind)
      .map(({ name }) => name)
      .join(", ");
  return [
    nameOf(object),
    `${object.roleRef.kind}/${object.roleRef.name}`,
    age(object, nowMs),
    names("User"),
    names("Group"),
    named("ServiceAccount")
      .map(({ namespace = "", name }) => `${namespace}/${name}`)
      .join(", "),
  ];
}
