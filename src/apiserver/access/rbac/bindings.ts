import type { ClusterRoleBinding, RoleBinding, Subject } from "../../../api/generated/types.ts";
import { clusterRoleBinding } from "../../../api/clusterRoleBinding/clusterRoleBinding.ts";
import type { Kind } from "../../../api/kind.ts";
import { roleBinding } from "../../../api/roleBinding/roleBinding.ts";
import type { Item } from "../../cache/item.ts";
import type { WatchCache } from "../../cache/watch-cache.ts";
import type { Identity } from "../../identity/identity.ts";

export type Binding = RoleBinding | ClusterRoleBinding;

/** Stands for the bindings that count in every namespace. */
export const EVERYWHERE = "";

/** Whom a subject means, in one word; undefined for a ServiceAccount of no namespace, which is nobody. */
function wordOf({ kind, name, namespace }: Subject, scope: string): string | undefined {
  if (kind === "User") return `user ${name}`;
  if (kind === "Group") return `group ${name}`;
  const home = namespace || scope;
  return kind === "ServiceAccount" && home !== "" ? `user system:serviceaccount:${home}:${name}` : undefined;
}

function wordsOf(identity: Identity): string[] {
  return [`user ${identity.user}`, ...new Set(identity.groups.map((group) => `group ${group}`))];
}

const scopeOf = (binding: Binding): string => binding.metadata.namespace ?? EVERYWHERE;

/** The first subject of a binding that the identity is. */
export const subjectFor = (binding: Binding, identity: Identity): Subject | undefined => {
  const words = new Set(wordsOf(identity));
  return binding.subjects?.find((subject) => words.has(wordOf(subject, scopeOf(binding)) ?? ""));
};

/** All bindings by namespace and subject, so that a request looks at those of its user alone. Kept current by the watch cache. */
export class BindingIndex {
  /** Namespace → word of the subject → key of the binding → binding. */
  readonly #scopes = new Map<string, Map<string, Map<string, Binding>>>();

  constructor(cache: WatchCache) {
    for (const kind of [clusterRoleBinding, roleBinding] as readonly Kind[]) {
      const resource = cache.of(kind);
      resource.listen({
        changes: (changes) => {
          for (const { previous, next } of changes) {
            if (previous !== undefined) this.#remove(previous);
            if (next !== undefined) this.#add(next);
          }
        },
        lost: () => {
          for (const scope of this.#scopes.keys()) {
            if ((scope !== EVERYWHERE) === kind.namespaced) this.#scopes.delete(scope);
          }
          for (const item of resource.range(resource.prefix)) this.#add(item);
        },
      });
    }
  }

  /** The bindings of an identity that count in a namespace (or everywhere), each once. */
  of(identity: Identity, namespace: string): Binding[] {
    const subjects = this.#scopes.get(namespace);
    if (subjects === undefined) return [];
    const found = new Map<string, Binding>();
    for (const word of wordsOf(identity)) {
      for (const [key, binding] of subjects.get(word) ?? []) found.set(key, binding);
    }
    return [...found.values()];
  }

  #add({ key, object }: Item): void {
    const binding = object as Binding;
    const scope = scopeOf(binding);
    let subjects = this.#scopes.get(scope);
    if (subjects === undefined) this.#scopes.set(scope, (subjects = new Map()));
    for (const subject of binding.subjects ?? []) {
      const word = wordOf(subject, scope);
      if (word === undefined) continue;
      const bindings = subjects.get(word);
      if (bindings === undefined) subjects.set(word, new Map([[key, binding]]));
      else bindings.set(key, binding);
    }
  }

  #remove({ key, object }: Item): void {
    const binding = object as Binding;
    const scope = scopeOf(binding);
    const subjects = this.#scopes.get(scope);
    if (subjects === undefined) return;
    for (const subject of binding.subjects ?? []) {
      const word = wordOf(subject, scope);
      const bindings = word === undefined ? undefined : subjects.get(word);
      bindings?.delete(key);
      if (bindings?.size === 0) subjects.delete(word!);
    }
    if (subjects.size === 0) this.#scopes.delete(scope);
  }
}
