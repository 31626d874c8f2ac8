import type { Kind } from "../api/kind.ts";
import { binding } from "./verbs/binding.ts";
import { eviction } from "./verbs/eviction.ts";
import { log, upgradeRequired } from "./verbs/pod-streams.ts";
import { proxy } from "./verbs/proxy.ts";
import { getScale, patchScale, putScale } from "./verbs/scale.ts";
import { tokenRequest } from "./verbs/token-request.ts";
import type { Verb } from "./verbs/verb.ts";

/** What hangs below an object beside the parts of itself: it answers with another kind, or with a stream. */
export interface Subresource {
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly methods: Readonly<Record<string, Verb>>;
}

const METHODS_OF_HTTP = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const PROXY = {
  group: "",
  version: "v1",
  methods: Object.fromEntries(METHODS_OF_HTTP.map((method) => [method, proxy])),
};
const SCALE: Subresource = {
  kind: "Scale",
  group: "autoscaling",
  version: "v1",
  methods: { GET: getScale, PUT: putScale, PATCH: patchScale },
};
const STREAM = { group: "", version: "v1", methods: { GET: upgradeRequired, POST: upgradeRequired } };

/** By `group/plural` of the object, then by the word in the URL. */
const BELOW: Readonly<Record<string, Readonly<Record<string, Subresource>>>> = {
  "/pods": {
    attach: { kind: "PodAttachOptions", ...STREAM },
    binding: { kind: "Binding", group: "", version: "v1", methods: { POST: binding } },
    eviction: { kind: "Eviction", group: "policy", version: "v1", methods: { POST: eviction } },
    exec: { kind: "PodExecOptions", ...STREAM },
    log: { kind: "Pod", group: "", version: "v1", methods: { GET: log } },
    portforward: { kind: "PodPortForwardOptions", ...STREAM },
    proxy: { kind: "PodProxyOptions", ...PROXY },
  },
  "/services": {
    proxy: { kind: "ServiceProxyOptions", ...PROXY },
  },
  "/serviceaccounts": {
    token: {
      kind: "TokenRequest",
      group: "authentication.k8s.io",
      version: "v1",
      methods: { POST: tokenRequest },
    },
  },
};

/** What hangs below objects of a kind, by the word in the URL. */
export function subresourcesOf({ group, plural, scaling }: Kind): Readonly<Record<string, Subresource>> {
  const key = `${group}/${plural}`;
  if (Object.hasOwn(BELOW, key)) return BELOW[key]!;
  return scaling === undefined ? {} : { scale: SCALE };
}
