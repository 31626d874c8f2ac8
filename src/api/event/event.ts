import { ageOf } from "../duration.ts";
import { invalid, type Fault } from "../fault.ts";
import type { Event } from "../generated/types.ts";
import type { Cell, Kind } from "../kind.ts";
import { carry, withoutServerFields } from "../meta/carry.ts";
import { column, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { namespacedFields } from "../meta/fields.ts";
import { checkSubdomain } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { events } from "../resources.ts";

/** Events about objects outside any namespace live in this one. */
const CLUSTER_EVENTS = "default";

/** An event stands beside the object it is about, so that who may see the one may see the other. */
function validateNamespace(object: Event): Fault[] {
  const about = object.involvedObject.namespace ?? "";
  const here = object.metadata.namespace ?? "";
  const where = about === "" ? here === CLUSTER_EVENTS || here === "" : here === about;
  return where ? [] : [invalid("involvedObject.namespace", about, "does not match event.namespace")];
}

/** `kubelet, node-1` */
function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const host = source?.host || reportingInstance || "";
  return host === "" ? component : `${component}, ${host}`;
}

/** SVC-325 */
function row(event: Event, nowMs: number): Cell[] {
  const first = event.firstTimestamp ?? event.eventTime;
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? first;
  const { kind, name, fieldPath } = event.involvedObject;
  const count = event.series?.count ?? event.count ?? 0;
  return [
    ageOf(last, nowMs),
    event.type ?? "",
    event.reason ?? "",
    `${(kind ?? "").toLowerCase()}/${name ?? ""}`,
    fieldPath ?? "",
    sourceText(event),
    (event.message ?? "").trim(),
    ageOf(first, nowMs),
    count === 0 ? 1 : count,
    nameOf(event),
  ];
}

/** Asked of a blank object too, to learn which labels there are. */
function selectable(object: Event): Record<string, string> {
  const about: Partial<Event>["involvedObject"] = object.involvedObject;
  return {
    ...namespacedFields(object),
    "involvedObject.kind": about?.kind ?? "",
    "involvedObject.namespace": about?.namespace ?? "",
    "involvedObject.name": about?.name ?? "",
    "involvedObject.uid": about?.uid ?? "",
    "involvedObject.apiVersion": about?.apiVersion ?? "",
    "involvedObject.resourceVersion": about?.resourceVersion ?? "",
    "involvedObject.fieldPath": about?.fieldPath ?? "",
    reason: object.reason ?? "",
    reportingComponent: object.reportingComponent ?? "",
    source: object.source?.component || (object.reportingComponent ?? ""),
    type: object.type ?? "",
  };
}

export const event: Kind<Event> = {
  ...events,
  singular: "event",
  shortNames: ["ev"],
  categories: [],
  type: "Event",
  subresources: [],
  deleteAnswers: "status",
  createOnUpdate: true,
  defaults: (object) => (object.involvedObject === undefined ? { ...object, involvedObject: {} } : object),
  prepareForCreate: withoutServerFields,
  prepareForUpdate: carry,
  validate: (next, previous) => [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: true, checkName: checkSubdomain }),
    ...validateNamespace(next),
  ],
  columns: [
    column("Last Seen", "How long ago it last happened."),
    column("Type", "Normal or Warning."),
    column("Reason", "Why, in one word."),
    column("Object", "What it happened to."),
    wideColumn("Subobject", "Which part of it."),
    wideColumn("Source", "Who says so."),
    column("Message", "What happened."),
    wideColumn("First Seen", "How long ago it first happened."),
    { name: "Count", type: "integer", description: "How often it happened.", priority: 1 },
    { ...nameColumn, priority: 1 },
  ],
  row,
  selectableFields: selectable,
};
