import { parseLabelSelector } from "../../../../api/selector/labelSelector.ts";
import type { KubernetesOptions } from "../../configuration.ts";
import { usualKubernetes } from "../../usual.ts";
import type { Line } from "../blocks.ts";
import type { ClusterAccess, Directive } from "../directive.ts";
import { faultAt, quoted } from "../fault.ts";
import { durationOf, expectArgs, expectNoBody, numberOf, oneOf, unknownOption } from "../values.ts";
import { zonesOf } from "../zones.ts";

type Draft = { -readonly [Key in keyof KubernetesOptions]: KubernetesOptions[Key] };

const OPTIONS = [
  "endpoint",
  "tls",
  "kubeconfig",
  "apiserver_qps",
  "apiserver_burst",
  "apiserver_max_inflight",
  "namespaces",
  "namespace_labels",
  "labels",
  "pods",
  "endpoint_pod_names",
  "ttl",
  "noendpoints",
  "fallthrough",
  "ignore",
  "zonal",
  "startup_timeout",
];

const isReverse = (zone: string): boolean => /(^|\.)(in-addr|ip6)\.arpa$/.test(zone);

/** A label selector, as one text. */
function selectorOf(line: Line): string {
  expectArgs(line, `${line.name} SELECTOR, such as app=web`, 1, Number.MAX_SAFE_INTEGER);
  const text = line.args.map((word) => word.text).join(" ");
  try {
    parseLabelSelector(text);
  } catch {
    throw faultAt(line, `${line.name}: ${quoted(text)} is not a label selector, such as app=web,tier in (a,b)`);
  }
  return text;
}

/** `kubernetes [ZONE…] { … }`: the cluster's names (DNS-124 … DNS-128). */
export const kubernetes: Directive = {
  name: "kubernetes",
  read(line, { block, whole, warn }) {
    const zones = line.args.length === 0 ? [...block.zones] : line.args.flatMap(zonesOf);
    const primary = zones.find((zone) => !isReverse(zone));
    if (primary === undefined) {
      throw faultAt(
        line,
        `kubernetes: all of ${zones.join(", ")} are reverse zones; one such as cluster.local is needed`,
      );
    }
    const draft: Draft = { ...usualKubernetes(primary), zones, pods: "disabled", fallthrough: [] };
    let access: ClusterAccess = {};
    for (const option of line.body) {
      expectNoBody(option);
      const [first] = option.args;
      switch (option.name) {
        case "endpoint":
          expectArgs(option, "endpoint URL", 1, Number.MAX_SAFE_INTEGER);
          if (!/^https?:\/\/[^/\s]+/.test(first!.text)) {
            throw faultAt(
              first!,
              `endpoint: ${quoted(first!.text)} is not the URL of an API server, such as https://10.0.0.1:6443`,
            );
          }
          if (option.args.length > 1) warn(option, `endpoint: only the first, ${first!.text}, is used`);
          access = { ...access, endpoint: first!.text };
          break;
        case "tls":
          expectArgs(option, "tls CERTIFICATE KEY CA, which are files", 3);
          access = {
            ...access,
            tls: { cert: first!.text, key: option.args[1]!.text, ca: option.args[2]!.text },
          };
          break;
        case "kubeconfig": {
          expectArgs(option, "kubeconfig FILE [CONTEXT]", 1, 2);
          const context = option.args[1]?.text;
          access = { ...access, kubeconfig: { file: first!.text, ...(context === undefined ? {} : { context }) } };
          break;
        }
        case "apiserver_qps":
        case "apiserver_burst":
        case "apiserver_max_inflight":
          expectArgs(option, `${option.name} NUMBER`, 1);
          if (!/^\d+(\.\d+)?$/.test(first!.text)) {
            throw faultAt(first!, `${option.name}: ${quoted(first!.text)} is not a number of 0 or more`);
          }
          warn(option, `${option.name} does nothing: three or four watches are all that is asked of the API server`);
          break;
        case "namespaces":
          expectArgs(option, "namespaces NAME…", 1, Number.MAX_SAFE_INTEGER);
          draft.namespaces = [...(draft.namespaces ?? []), ...option.args.map(({ text }) => text)];
          break;
        case "namespace_labels":
          draft.namespaceLabels = selectorOf(option);
          break;
        case "labels":
          draft.labels = selectorOf(option);
          break;
        case "pods":
          expectArgs(option, "pods disabled, pods insecure or pods verified", 1);
          draft.pods = oneOf(option, first!, ["disabled", "insecure", "verified"]);
          break;
        case "endpoint_pod_names":
          expectArgs(option, "endpoint_pod_names alone", 0);
          draft.endpointPodNames = true;
          break;
        case "ttl":
          expectArgs(option, "ttl SECONDS", 1);
          draft.ttl = numberOf(option, first!, 0, 3600, "a TTL");
          break;
        case "noendpoints":
          expectArgs(option, "noendpoints alone", 0);
          draft.noEndpoints = true;
          break;
        case "fallthrough":
          draft.fallthrough = option.args.length === 0 ? [""] : option.args.flatMap(zonesOf);
          break;
        case "ignore":
          expectArgs(option, "ignore empty_service", 1);
          oneOf(option, first!, ["empty_service"]);
          draft.ignoreEmptyServices = true;
          break;
        case "zonal":
          expectArgs(option, "zonal alone", 0);
          draft.zonal = true;
          break;
        case "startup_timeout":
          expectArgs(option, "startup_timeout DURATION", 1);
          draft.startupTimeout = durationOf(option, first!);
          break;
        case "multicluster":
          throw faultAt(option, "multicluster: names of Services of other clusters are not answered; leave it out");
        default:
          throw unknownOption("kubernetes", option, OPTIONS);
      }
    }
    if (draft.namespaces !== undefined && draft.namespaceLabels !== undefined) {
      throw faultAt(line, "kubernetes: namespaces and namespace_labels exclude each other; leave one out");
    }
    if (draft.zonal && draft.noEndpoints) {
      throw faultAt(line, "kubernetes: zonal needs endpoints; leave out noendpoints, or zonal");
    }
    if (Object.keys(access).length > 0) {
      if (whole.access !== undefined && JSON.stringify(whole.access) !== JSON.stringify(access)) {
        throw faultAt(line, "kubernetes: another block names another API server; there is one for all of them");
      }
      whole.access = access;
    }
    block.kubernetes = draft;
  },
};
