import type { Ingress } from "../../api/generated/types.ts";
import { annotationsOf } from "../annotations/read.ts";

/** Keys of what an Ingress names beside its backends. */
export interface References {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
}

/** What has to be in hand before an Ingress can be read. */
export function referencesOf(ingress: Ingress): References {
  const { namespace = "" } = ingress.metadata;
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  for (const { secretName } of ingress.spec?.tls ?? []) if (secretName) secrets.add(`${namespace}/${secretName}`);
  // Who reads annotations knows best which of them name something.
  annotationsOf(ingress, {
    service: () => undefined,
    secret(key) {
      secrets.add(key);
      return undefined;
    },
    configMap(key) {
      configMaps.add(key);
      return undefined;
    },
  });
  return { secrets, configMaps };
}
