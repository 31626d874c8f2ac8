import type { ControllerRevision } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { age, ageColumn, column, nameColumn, nameOf } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { controllerRevisions } from "../resources.ts";
import { validate } from "./validate.ts";

/** `statefulset.apps/web` */
function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return "<none>";
  const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0]}` : "";
  return `${owner.kind}${group}`.toLowerCase() + `/${owner.name}`;
}

/** A template that a StatefulSet or DaemonSet had, kept for its history. */
export const controllerRevision: Kind<ControllerRevision> = {
  ...controllerRevisions,
  singular: "controllerrevision",
  shortNames: [],
  categories: [],
  type: "ControllerRevision",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: false,
  defaults: (object) => object,
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate,
  columns: [
    nameColumn,
    column("Controller", "What it is a revision of."),
    column("Revision", "Its number; the newest has the greatest."),
    ageColumn,
  ],
  row: (object, nowMs) => [nameOf(object), controllerText(object), object.revision, age(object, nowMs)],
  selectableFields: namespacedFields,
};
