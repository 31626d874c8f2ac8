/** How the class of an Ingress was said before there was a field for it. */
export const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** `"true"` on an IngressClass: it is for Ingresses that name none (SVC-301). */
export const DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";
