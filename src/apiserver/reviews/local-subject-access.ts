import { invalid, type Fault } from "../../api/fault.ts";
import type { LocalSubjectAccessReview } from "../../api/generated/types.ts";
import { badRequest } from "../errors.ts";
import {
  accessOf,
  AUTHORIZATION,
  refuseFaulty,
  shownUrl,
  specOf,
  subjectOf,
  validateQuestion,
  validateSubject,
} from "./access.ts";
import { reviewResource, type Review } from "./review.ts";

function validatePlace({ spec, metadata }: LocalSubjectAccessReview): Fault[] {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const faults: Fault[] = [];
  const namespace = resourceAttributes?.namespace ?? "";
  if (resourceAttributes !== undefined && namespace !== metadata.namespace) {
    faults.push(invalid("spec.resourceAttributes.namespace", namespace, "must match metadata.namespace"));
  }
  if (nonResourceAttributes !== undefined) {
    faults.push(
      invalid("spec.nonResourceAttributes", shownUrl(nonResourceAttributes), "disallowed on this kind of request"),
    );
  }
  return faults;
}

/** As a SubjectAccessReview, about one namespace: a question that who administers that namespace may ask. */
export const localSubjectAccessReview: Review = {
  ...reviewResource(AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview", true),
  answer(given, { namespace }, context): LocalSubjectAccessReview {
    const said = given.metadata.namespace ?? "";
    if (said !== "" && said !== namespace) {
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    }
    const spec = specOf(given as LocalSubjectAccessReview);
    const metadata = { ...given.metadata, namespace };
    const question = { ...(given as LocalSubjectAccessReview), metadata, spec };
    const faults = [...validateQuestion(question, spec, validateSubject(spec)), ...validatePlace(question)];
    refuseFaulty(faults);
    return { ...question, status: accessOf(context, subjectOf(spec), spec) };
  },
};
