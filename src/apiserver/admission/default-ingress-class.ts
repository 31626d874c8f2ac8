import type { Ingress, IngressClass } from "../../api/generated/types.ts";
import { CLASS_ANNOTATION } from "../../api/ingressClass/annotations.ts";
import { isDefaultClass } from "../../api/ingressClass/ingressClass.ts";
import { ingressClasses, ingresses } from "../../api/resources.ts";
import type { Context } from "../context.ts";
import type { Admission } from "./admission.ts";

/** Of several default classes the newest counts; of those made in one second, the first by name. */
function defaultClass(context: Context): string | undefined {
  const kind = context.kinds.find(ingressClasses.group, ingressClasses.version, ingressClasses.plural);
  if (kind === undefined) return undefined;
  let newest: IngressClass["metadata"] | undefined;
  // In the order of names: of two that are equally new the first stays.
  for (const { object } of context.cache.of(kind).range(context.cache.of(kind).prefix)) {
    if (!isDefaultClass(object as IngressClass)) continue;
    if ((object.metadata.creationTimestamp ?? "") > (newest?.creationTimestamp ?? "")) newest = object.metadata;
  }
  return newest?.name;
}

/** A new Ingress that names no class, neither in the field nor by the old annotation, is given the default one (SVC-302). */
export const defaultIngressClass: Admission = {
  name: "DefaultIngressClass",
  mutate({ operation, kind, next }, context) {
    if (operation !== "create" || kind.group !== ingresses.group || kind.plural !== ingresses.plural) return next;
    const ingress = next as Ingress;
    const annotations = ingress.metadata.annotations ?? {};
    if (ingress.spec?.ingressClassName !== undefined || Object.hasOwn(annotations, CLASS_ANNOTATION)) return ingress;
    const ingressClassName = defaultClass(context);
    if (ingressClassName === undefined) return ingress;
    const given: Ingress = { ...ingress, spec: { ...ingress.spec, ingressClassName } };
    return given;
  },
};
