import type { Ingress } from "../../api/generated/types.ts";
import { usualBackend, usualSettings } from "../settings/defaults.ts";
import type { Annotated } from "./annotations.ts";
import type { AnnotationGroup, Read } from "./group.ts";
import { known, nearestName } from "./known.ts";
import { FAIRLEAD_PREFIX, NGINX_PREFIX, Said, type Lookups } from "./said.ts";

/** What an Ingress without annotations says: one object for all of them. */
const nothingSaid: Annotated = {
  settings: usualSettings,
  redirectsAlways: false,
  backend: usualBackend,
  affinity: undefined,
  canary: undefined,
  serverAliases: [],
  wwwRedirect: false,
  useRegex: false,
  serviceUpstream: false,
  defaultBackend: undefined,
  faults: [],
};

/** The groups whose annotations are said; names that are none are faults. */
function groupsOf(said: Said): Set<AnnotationGroup> {
  const groups = new Set<AnnotationGroup>();
  for (const name of said.names()) {
    const found = known(name);
    const key = said.keyOf(name);
    const isOnlyOurs = found?.annotation.own === true && key.startsWith(NGINX_PREFIX);
    const isKnown = found !== undefined && !isOnlyOurs;
    if (isKnown) groups.add(found.group);
    else {
      const near = found === undefined ? nearestName(name) : FAIRLEAD_PREFIX + name;
      said.fault(
        name,
        "AnnotationUnknown",
        `there is no annotation ${key}${near === undefined ? "" : `; did you mean ${near}?`}; it is ignored`,
      );
    }
  }
  return groups;
}

/** What the annotations of an Ingress say. Pure: asks nothing but what they name, and that of the view. */
export function annotationsOf(ingress: Ingress, view: Lookups): Annotated {
  const said = new Said(ingress, view);
  const reads: Read[] = [];
  for (const { read } of groupsOf(said)) if (read !== undefined) reads.push(read(said));
  if (reads.length === 0 && said.faults.length === 0) return nothingSaid;
  const { refused, faults } = said;
  return {
    ...Object.assign({}, nothingSaid, ...reads),
    settings: Object.assign({}, usualSettings, ...reads.map(({ settings }) => settings), { refused }),
    backend: Object.assign({}, usualBackend, ...reads.map(({ backend }) => backend)),
    faults,
  };
}
