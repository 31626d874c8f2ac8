import type { ConfigMap, Ingress, Secret } from "../../api/generated/types.ts";
import { familyOf } from "../../net/ip.ts";
import { parseCidr } from "../../net/cidr.ts";
import type { ClusterView, IngressFault } from "../plan/view.ts";

export const NGINX_PREFIX = "nginx.ingress.kubernetes.io/";
export const FAIRLEAD_PREFIX = "fairlead.dev/";

/** What annotations may look up. */
export type Lookups = Pick<ClusterView, "secret" | "configMap" | "service">;

/** Keys of others that we read. */
const WHOLE_KEYS = /^kubernetes\.io\/ingress\.allow-http$/;

const quoted = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}…` : text);

/** As Go reads them, and so ingress-nginx. */
const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

interface Value {
  /** The whole key. */
  readonly key: string;
  readonly text: string;
}

/**
 * The annotations of one Ingress by name, each value read as what it should be. What cannot be read is noted as a fault, and the usual
 * value taken; what protects the route, and cannot be done, closes it.
 */
export class Said {
  readonly ingress: Ingress;
  readonly namespace: string;
  readonly view: Lookups;
  readonly faults: IngressFault[] = [];
  /** Why requests are answered 503; the first reason stands. */
  refused: string | undefined;
  readonly #values: ReadonlyMap<string, Value>;

  constructor(ingress: Ingress, view: Lookups) {
    this.ingress = ingress;
    this.namespace = ingress.metadata.namespace ?? "default";
    this.view = view;
    const values = new Map<string, Value>();
    // The stronger ones after the others, in whichever order they stand.
    for (const prefix of [NGINX_PREFIX, FAIRLEAD_PREFIX]) {
      for (const [key, value] of Object.entries(ingress.metadata.annotations ?? {})) {
        const name = key.startsWith(prefix) ? key.slice(prefix.length) : key;
        if (name === key ? WHOLE_KEYS.test(key) : !name.includes("/")) values.set(name, { key, text: trimmed(value) });
      }
    }
    this.#values = values;
  }

  names(): Iterable<string> {
    return this.#values.keys();
  }

  /** The whole key by which something was said. */
  keyOf(name: string): string {
    return this.#values.get(name)?.key ?? NGINX_PREFIX + name;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Without white space round it; undefined where nothing is said, or an empty text. */
  text(name: string): string | undefined {
    const text = this.#values.get(name)?.text;
    return text === "" ? undefined : text;
  }

  fault(name: string, reason: string, message: string): void {
    const field = `metadata.annotations[${this.keyOf(name)}]`;
    if (this.faults.some((fault) => fault.field === field && fault.message === message)) return;
    this.faults.push({ field, reason, message });
  }

  /** `wanted`: what it should be. `now`: what is done, a whole sentence without its full stop. */
  wrong(name: string, wanted: string, now: string): void {
    this.fault(name, "AnnotationInvalid", `${quoted(this.text(name) ?? "")} is not ${wanted}; ${now}`);
  }

  /** Closes the route; a canary is left out, and its main Ingress has all requests. */
  refuse(name: string, why: string, reason = "AnnotationRefused"): void {
    const now = this.truth("canary", false) ? "this canary gets no requests" : "requests are answered 503";
    this.fault(name, reason, `${why}; ${now}`);
    this.refused ??= `${this.keyOf(name)}: ${why}`;
  }

  truth<Usual extends boolean | undefined>(name: string, usual: Usual): boolean | Usual {
    const text = this.text(name);
    if (text === undefined) return usual;
    if (TRUE.has(text)) return true;
    if (FALSE.has(text)) return false;
    this.wrong(name, `"true" or "false"`, usual === undefined ? "it is ignored" : `${String(usual)} is taken`);
    return usual;
  }

  /** `wanted` as in `a number of seconds`. */
  number<Usual extends number | undefined>(
    name: string,
    usual: Usual,
    { least = 0, most = Number.MAX_SAFE_INTEGER, wanted = "a number" },
  ): number | Usual {
    const text = this.text(name);
    if (text === undefined) return usual;
    const number = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    this.wrong(
      name,
      `${wanted} ${range}, without a unit`,
      usual === undefined ? "it is ignored" : `${String(usual)} is taken`,
    );
    return usual;
  }

  /** Words are compared without regard to case, and given back as they stand in the list. */
  word<const Word extends string, Usual extends Word | undefined>(
    name: string,
    words: readonly Word[],
    usual: Usual,
  ): Word | Usual {
    const text = this.text(name);
    if (text === undefined) return usual;
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    this.wrong(name, `one of ${words.join(", ")}`, usual === undefined ? "it is ignored" : `${usual} is taken`);
    return usual;
  }

  /** Separated by commas; empty ones are left out. */
  list(name: string): readonly string[] {
    return (this.text(name) ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  }

  /** Addresses and ranges of them as canonical CIDRs, each once and sorted; `wrong` are those that are neither. */
  ranges(name: string): { readonly ranges: readonly string[]; readonly wrong: readonly string[] } {
    const ranges = new Set<string>();
    const wrong: string[] = [];
    for (const one of this.list(name)) {
      const family = familyOf(one);
      try {
        ranges.add(parseCidr(family === undefined ? one : `${one}/${family === "IPv4" ? 32 : 128}`).text);
      } catch {
        wrong.push(one);
      }
    }
    return { ranges: [...ranges].toSorted(), wrong };
  }

  /** The Secret that is named, `NAME` or `NAMESPACE/NAME`. Undefined: it closes the route. */
  secret(name: string): Secret | undefined {
    const key = this.#own(name, "Secret");
    if (key === undefined) return undefined;
    const secret = this.view.secret(key);
    if (secret === undefined) this.refuse(name, `there is no Secret ${key}`, "SecretNotFound");
    return secret;
  }

  /** The ConfigMap that is named. Undefined: it closes the route. */
  configMap(name: string): ConfigMap | undefined {
    const key = this.#own(name, "ConfigMap");
    if (key === undefined) return undefined;
    const map = this.view.configMap(key);
    if (map === undefined) this.refuse(name, `there is no ConfigMap ${key}`, "ConfigMapNotFound");
    return map;
  }

  /** Who may write an Ingress may read only what is in its namespace: through us no more. */
  #own(name: string, kind: string): string | undefined {
    const text = this.text(name) ?? "";
    const [, namespace = this.namespace, object] = /^(?:([^/]+)\/)?([^/]+)$/.exec(text) ?? [];
    if (object === undefined) {
      this.refuse(name, `${quoted(text)} is not the name of a ${kind}, NAME or NAMESPACE/NAME`, "AnnotationInvalid");
      return undefined;
    }
    if (namespace !== this.namespace) {
      this.refuse(
        name,
        `${kind} ${text} is in another namespace than the Ingress; it must be in ${JSON.stringify(this.namespace)}`,
      );
      return undefined;
    }
    return `${namespace}/${object}`;
  }
}

/** As ingress-nginx does: white space round each line is nothing. */
const trimmed = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .join("\n")
    .trim();
