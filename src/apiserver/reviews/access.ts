import { invalid, required, type Fault } from "../../api/fault.ts";
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { invalidObject } from "../../api/status.ts";
import type { RequestInfo } from "../access/attributes.ts";
import type { Context } from "../context.ts";
import type { Identity } from "../identity/identity.ts";

/** The group of all questions of who may do what. */
export const AUTHORIZATION = "authorization.k8s.io";

/** The `spec` of a question, which may be missing. */
export const specOf = <T extends object>(question: { readonly spec: T }): T =>
  (question as { readonly spec?: T }).spec ?? ({} as T);

/** What is asked about, whoever it is that would do it. */
type Asked = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

function validateSelector(
  selector: FieldSelectorAttributes | LabelSelectorAttributes | undefined,
  field: string,
): Fault[] {
  if (selector === undefined) return [];
  const { rawSelector = "", requirements = [] } = selector;
  if (rawSelector !== "" && requirements.length > 0) {
    return [invalid(`${field}.rawSelector`, rawSelector, "may not specified at the same time as requirements")];
  }
  if (rawSelector !== "" || requirements.length > 0) return [];
  const why = `when ${field} is specified, requirements or rawSelector is required`;
  return [required(`${field}.requirements`, why)];
}

/** A faulty question about a URL, as upstream shows it: by its own names of the fields. */
export const shownUrl = ({ path = "", verb = "" }: NonResourceAttributes): object => ({ Path: path, Verb: verb });

function validateAsked({ resourceAttributes, nonResourceAttributes }: Asked): Fault[] {
  const faults: Fault[] = [];
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const why = "cannot be specified in combination with resourceAttributes";
    faults.push(invalid("spec.nonResourceAttributes", shownUrl(nonResourceAttributes), why));
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    faults.push(invalid("spec.resourceAttributes", null, why));
  }
  return faults;
}

/** What is wrong with the question itself; `metadata` must be empty, since nothing is stored. */
export function validateQuestion(question: KubeObject, asked: Asked, more: readonly Fault[] = []): Fault[] {
  const { namespace, managedFields: _, ...metadata } = question.metadata;
  const isLocal = question.kind === "LocalSubjectAccessReview";
  const isEmpty = Object.values(metadata).every((value) => value === undefined) && (isLocal || namespace === undefined);
  const field = "spec.resourceAttributes";
  return [
    ...validateAsked(asked),
    ...more,
    ...validateSelector(asked.resourceAttributes?.fieldSelector, `${field}.fieldSelector`),
    ...validateSelector(asked.resourceAttributes?.labelSelector, `${field}.labelSelector`),
    ...(isEmpty
      ? []
      : [invalid("metadata", question.metadata, `must be empty${isLocal ? " except for namespace" : ""}`)]),
  ];
}

/** As `validateQuestion`, for questions about somebody who is named. */
export const validateSubject = ({ user, groups }: SubjectAccessReviewSpec): Fault[] =>
  !user && (groups ?? []).length === 0
    ? [invalid("spec.user", user ?? "", "at least one of user or group must be specified")]
    : [];

/** As upstream, which names neither the question nor its kind. @throws ApiError Invalid, when there are faults */
export function refuseFaulty(faults: readonly Fault[]): void {
  if (faults.length > 0) throw invalidObject(AUTHORIZATION, "", "", faults);
}

/** A field selector in the form of a URL; only what says one value for one field narrows anything. */
function selectorText({ fieldSelector }: ResourceAttributes): string {
  if (fieldSelector?.rawSelector) return fieldSelector.rawSelector;
  return (fieldSelector?.requirements ?? [])
    .filter(({ operator, values }) => operator === "In" && values?.length === 1)
    .map(({ key, values }) => `${key}=${values![0]}`)
    .join(",");
}

function requestOf({ resourceAttributes, nonResourceAttributes }: Asked): RequestInfo {
  if (resourceAttributes === undefined) {
    return { resource: undefined, verb: nonResourceAttributes?.verb ?? "", path: nonResourceAttributes?.path ?? "" };
  }
  const { verb = "", group = "", version, resource = "", subresource = "", namespace = "" } = resourceAttributes;
  const fieldSelector = selectorText(resourceAttributes);
  return {
    verb,
    group,
    version: version || "*",
    resource,
    subresource,
    namespace,
    name: resourceAttributes.name ?? "",
    path: "",
    ...(fieldSelector === "" ? {} : { fieldSelector }),
  };
}

/** Whether somebody may do what is asked about. */
export function accessOf(context: Context, identity: Identity, asked: Asked): SubjectAccessReviewStatus {
  const { verdict, reason } = context.authorizer.decide({ ...requestOf(asked), identity });
  return {
    allowed: verdict === "allow",
    ...(verdict === "deny" ? { denied: true } : {}),
    ...(reason === "" ? {} : { reason }),
  };
}

export const subjectOf = ({ user = "", groups = [], uid, extra }: SubjectAccessReviewSpec): Identity => ({
  user,
  groups,
  ...(uid === undefined ? {} : { uid }),
  ...(extra === undefined ? {} : { extra }),
});
