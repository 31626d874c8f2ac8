/**
 * Fields that the generated table calls required and Go holds by pointer: what a writer leaves out stays out, so that
 * validation can tell it from an empty word.
 */
export const pointerFields: ReadonlySet<string> = new Set(["HTTPIngressPath.pathType"]);
