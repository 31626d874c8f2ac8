import type { Ingress, IngressClass } from "../../api/generated/types.ts";
import { CLASS_ANNOTATION } from "../../api/ingressClass/annotations.ts";
import type { ClassReport } from "./report.ts";

/** Whose Ingresses would be served. */
export interface Classes {
  /** The name of our class. */
  readonly ingressClass: string;
  /** `spec.controller` of ours. */
  readonly controller: string;
}

const NGINX_CONTROLLER = "k8s.io/ingress-nginx";

export const classOf = ({ metadata, spec }: Ingress): string =>
  metadata.annotations?.[CLASS_ANNOTATION] || spec?.ingressClassName || "";

/** A controller that is neither ours nor ingress-nginx: its Ingresses are not meant. */
export const foreignController = (
  name: string,
  classes: ReadonlyMap<string, IngressClass>,
  ours: Classes,
): string | undefined => {
  const controller = classes.get(name)?.spec?.controller;
  return controller === undefined || controller === ours.controller || controller === NGINX_CONTROLLER
    ? undefined
    : controller;
};

function remedyOf(name: string, ours: Classes, found: IngressClass | undefined): string | undefined {
  const controller = found?.spec?.controller;
  if (controller === ours.controller) return undefined;
  // Where the class is not among the manifests its name must do.
  if (controller === undefined && name === ours.ingressClass) return undefined;
  if (controller === undefined && name === "nginx" && ours.controller === NGINX_CONTROLLER) return undefined;
  if (name === "") {
    return `make ${ours.ingressClass} the default class, or run with --watch-ingress-without-class`;
  }
  return `say ingressClassName: ${ours.ingressClass}, or make IngressClass ${name} one with controller: ${ours.controller}, or run with --controller-class ${controller ?? NGINX_CONTROLLER}`;
}

/** The classes that must be attended to before anything is served. */
export function classReports(
  ingresses: readonly Ingress[],
  classes: ReadonlyMap<string, IngressClass>,
  ours: Classes,
): ClassReport[] {
  const byName = Map.groupBy(ingresses, classOf);
  return [...byName].flatMap(([name, all]) => {
    if (foreignController(name, classes, ours) !== undefined) return [];
    const remedy = remedyOf(name, ours, classes.get(name));
    return remedy === undefined ? [] : [{ name, ingresses: all.length, remedy }];
  });
}
