/** Something of the cluster that plans depend on; a word, so that sets of them can be made. Keys are `namespace/name`. */
export type Word = `${"ingress" | "class" | "service" | "slices" | "secret" | "configMap"} ${string}`;

export const word = {
  ingress: (key: string): Word => `ingress ${key}`,
  class: (name: string): Word => `class ${name}`,
  service: (key: string): Word => `service ${key}`,
  /** The EndpointSlices of a Service, by its key. */
  slices: (service: string): Word => `slices ${service}`,
  secret: (key: string): Word => `secret ${key}`,
  configMap: (key: string): Word => `configMap ${key}`,
};

/** The keys of one kind among words. */
export function* keysOf(words: Iterable<string>, ...kinds: readonly string[]): Generator<string> {
  for (const each of words) {
    const space = each.indexOf(" ");
    if (kinds.includes(each.slice(0, space))) yield each.slice(space + 1);
  }
}
