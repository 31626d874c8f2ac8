import type { ConfigMap, Ingress, Secret } from "../../api/generated/types.ts";
import type { Annotated } from "./annotations.ts";
import { annotationsOf } from "./read.ts";
import { NGINX_PREFIX, type Lookups } from "./said.ts";

/** Objects for tests: what annotations name, in namespace `shop`. */
export interface Around {
  /** Texts by key, by name of the Secret. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly configMaps?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly paths?: readonly string[];
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const viewOf = ({ secrets = {}, configMaps = {} }: Around = {}): Lookups => ({
  secret: (key): Secret | undefined => {
    const data = secrets[key.replace(/^shop\//, "")];
    return data === undefined
      ? undefined
      : {
          apiVersion: "v1",
          kind: "Secret",
          metadata: {},
          data: Object.fromEntries(Object.entries(data).map(([name, text]) => [name, base64(text)])),
        };
  },
  configMap: (key): ConfigMap | undefined => {
    const data = configMaps[key.replace(/^shop\//, "")];
    return data === undefined ? undefined : { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data };
  },
  service: () => undefined,
});

/** Keys are whole ones. */
const ingressWith = (annotations: Readonly<Record<string, string>>, paths: readonly string[] = ["/"]): Ingress => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "shop", name: "web", annotations },
  spec: {
    rules: [
      {
        host: "a.example",
        http: {
          paths: paths.map((path) => ({
            path,
            pathType: "ImplementationSpecific",
            backend: { service: { name: "web", port: { number: 80 } } },
          })),
        },
      },
    ],
  },
});

/** What an Ingress with these annotations says; names without a slash are ingress-nginx'. */
export const said = (annotations: Readonly<Record<string, string>>, around: Around = {}): Annotated =>
  annotationsOf(
    ingressWith(
      Object.fromEntries(
        Object.entries(annotations).map(([name, value]) => [name.includes("/") ? name : NGINX_PREFIX + name, value]),
      ),
      around.paths,
    ),
    viewOf(around),
  );

/** The faults, a line each, without what is common to them. */
export const faultsOf = ({ faults }: Annotated): string[] =>
  faults.map(
    ({ field, message }) =>
      `${field.replace(/^metadata\.annotations\[(?:nginx\.ingress\.kubernetes\.io\/)?(.*)\]$/, "$1")}: ${message}`,
  );
