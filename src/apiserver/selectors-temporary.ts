import type { Kind } from "../api/kind.ts";
import type { KubeObject } from "../api/object.ts";

export function parseLabelSelector(text: string): (labels: Record<string, string>) => boolean {
  const terms = text.split(",").map((term) => /^([^=!]+)(==?|!=)?(.*)$/.exec(term)!);
  return (labels) => terms.every(([, k, op, v]) => (op === undefined ? k! in labels : op === "!=" ? labels[k!] !== v : labels[k!] === v));
}
export function parseFieldSelector(text: string, kind: Kind): (object: KubeObject) => boolean {
  const terms = text.split(",").map((term) => /^([^=!]+)(==?|!=)(.*)$/.exec(term)!);
  return (object) => {
    const f = kind.selectableFields(object);
    return terms.every(([, k, op, v]) => (op === "!=" ? f[k!] !== v : f[k!] === v));
  };
}
