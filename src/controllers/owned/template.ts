import type { Pod, PodTemplateSpec } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { referenceTo } from "./reference.ts";

/** The longest prefix that the API server keeps whole when it adds its five letters: 63 in all. */
const LONGEST_PREFIX = 58;

/** A pod as a template describes it, managed by `owner`; its name is generated from the owner's. */
export function podFromTemplate(template: PodTemplateSpec, owner: KubeObject, resource: Resource): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const name = owner.metadata.name ?? "";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace: owner.metadata.namespace,
      // Upstream leaves the dash out where the name with it would not be one; that is at 253 letters.
      generateName: name.length > 252 ? name : `${name}-`,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [referenceTo(owner, resource)],
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  };
}

/** Letters of a generated name: no vowels, and nothing that is read as something else. The API server's own. */
const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** A name that the API server might have generated: the prefix, cut so that the whole has 63 letters at most, and five more. */
export function generatedName(prefix: string, random: () => number): string {
  let suffix = "";
  while (suffix.length < 5) suffix += LETTERS[Math.floor(random() * LETTERS.length)]!;
  return `${prefix.slice(0, LONGEST_PREFIX)}${suffix}`;
}
