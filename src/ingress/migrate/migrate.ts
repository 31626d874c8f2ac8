import { decode } from "../../api/decode.ts";
import { configMap } from "../../api/configMap/configMap.ts";
import type { Ingress, Secret } from "../../api/generated/types.ts";
import { ingress as ingressKind } from "../../api/ingress/ingress.ts";
import { ingressClass } from "../../api/ingressClass/ingressClass.ts";
import type { Kind } from "../../api/kind.ts";
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import { secret } from "../../api/secret/secret.ts";
import { service } from "../../api/service/service.ts";
import { annotationsOf } from "../annotations/read.ts";
import type { Lookups } from "../annotations/said.ts";
import { annotationFindings } from "./annotations.ts";
import { classOf, classReports, foreignController, type Classes } from "./classes.ts";
import { configMapFindings, isControllerConfig } from "./config-map.ts";
import { fieldFindings } from "./fields.ts";
import {
  worst,
  type Document,
  type FileCounts,
  type Finding,
  type MigrationReport,
  type ObjectReport,
} from "./report.ts";

const ALWAYS = [
  "bodies may have any length where proxy-body-size says nothing (ingress-nginx: 1m)",
  "no Strict-Transport-Security is added to answers over TLS (ingress-nginx adds it); custom-headers can",
  "WebSockets may be silent for an hour (ingress-nginx: 60 s, as proxy-read-timeout says)",
  "sessions by cookie begin anew once, for the cookie has another value",
];

const OLD_VERSIONS = new Set(["extensions/v1beta1", "networking.k8s.io/v1beta1"]);

interface Found {
  readonly document: Document;
  readonly kind: string;
  readonly apiVersion: string;
}

const said = (object: unknown, field: string): string => {
  const value = (object as Record<string, unknown> | null)?.[field];
  return typeof value === "string" ? value : "";
};

/** An object of a kind; what does not fit its type is left out. */
function objectOf<T extends KubeObject>(kind: Kind<T>, { object }: Document): T {
  const { object: decoded } = decode<T>(kind, object);
  decoded.metadata.namespace ??= "default";
  return decoded;
}

const nameOf = ({ metadata }: { metadata: { namespace?: string | undefined; name?: string | undefined } }): string =>
  `${metadata.namespace ?? "default"}/${metadata.name ?? ""}`;

const keyed = <T extends { metadata: object }>(objects: readonly T[]): ReadonlyMap<string, T> =>
  new Map(objects.map((object) => [nameOf(object), object]));

/** As the API server keeps it: in base64 alone. */
const stored = (secret: Secret): Secret => ({
  ...secret,
  data: {
    ...secret.data,
    ...Object.fromEntries(
      Object.entries(secret.stringData ?? {}).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
    ),
  },
});

/** Fields that the type does not have, and values that the API server would refuse. */
function typeFindings(document: Document): Finding[] {
  const { object, unknown, faults } = decode<Ingress>(ingressKind, document.object);
  const finding = (field: string, why: string): Finding => ({
    field,
    line: document.lineOf(field),
    value: "",
    outcome: "not",
    why,
  });
  const typed = [
    ...unknown.map((path) => finding(path, "there is no such field; it does nothing")),
    ...faults.map(({ path, expected, found }) => finding(path, `it is ${found}, and should be ${expected}`)),
  ];
  if (faults.length > 0) return typed;
  // A manifest may leave its name to who applies it.
  const named = {
    ...object,
    metadata: { ...object.metadata, namespace: "default", name: object.metadata.name ?? "x" },
  };
  return [...typed, ...ingressKind.validate(named, undefined).map(({ field, message }) => finding(field, message))];
}

function ingressReport(
  document: Document,
  apiVersion: string,
  view: Lookups,
  foreign: (name: string) => string | undefined,
): ObjectReport {
  const { file, line } = document;
  const ingress = objectOf(ingressKind, document);
  const report = (findings: readonly Finding[], refused?: string): ObjectReport => ({
    file,
    line,
    kind: "Ingress",
    name: nameOf(ingress),
    outcome: worst(findings.map(({ outcome }) => outcome)),
    ...(refused === undefined ? {} : { refused }),
    findings,
  });
  if (OLD_VERSIONS.has(apiVersion)) {
    return report([
      {
        field: "apiVersion",
        line: document.lineOf("apiVersion"),
        value: apiVersion,
        outcome: "not",
        why: "Kubernetes 1.22 and later have no such version",
        instead: "write it as networking.k8s.io/v1 (kubectl convert does)",
      },
    ]);
  }
  const controller = foreign(classOf(ingress));
  if (controller !== undefined) {
    return report([
      {
        field: "spec.ingressClassName",
        line: document.lineOf("spec.ingressClassName"),
        value: classOf(ingress),
        outcome: "same",
        why: `it is for another controller, ${controller}, and left to that`,
      },
    ]);
  }
  const annotated = annotationsOf(ingress, view);
  const findings = [
    ...typeFindings(document),
    ...annotationFindings(ingress, annotated, document),
    ...fieldFindings(ingress, annotated, document),
  ];
  // What only is not here may be in the cluster.
  const isClosed = findings.some(
    ({ outcome, field }) =>
      outcome === "not" &&
      annotated.settings.refused?.startsWith(field.slice("metadata.annotations[".length, -1)) === true,
  );
  return report(findings, isClosed ? annotated.settings.refused : undefined);
}

/** What would be served of manifests for ingress-nginx: pure. */
export function migrate(documents: readonly Document[], ours: Classes): MigrationReport {
  const found: readonly Found[] = documents.map((document) => ({
    document,
    kind: said(document.object, "kind"),
    apiVersion: said(document.object, "apiVersion"),
  }));
  const all = <T extends KubeObject>(kind: Kind<T>): T[] =>
    found
      .filter((one) => one.kind === kind.kind && one.apiVersion === apiVersionOf(kind))
      .map(({ document }) => objectOf(kind, document));
  const secrets = keyed(all(secret).map(stored));
  const configMaps = keyed(all(configMap));
  const services = keyed(all(service));
  const view: Lookups = {
    secret: (key) => secrets.get(key),
    configMap: (key) => configMaps.get(key),
    service: (key) => services.get(key),
  };
  const classes = new Map(all(ingressClass).map((one) => [one.metadata.name ?? "", one]));
  const ingresses: Ingress[] = [];
  const others = new Map<string, number>();
  const objects = found.flatMap(({ document, kind, apiVersion }): ObjectReport[] => {
    if (kind === "Ingress" && (apiVersion === "networking.k8s.io/v1" || OLD_VERSIONS.has(apiVersion))) {
      ingresses.push(objectOf(ingressKind, document));
      return [ingressReport(document, apiVersion, view, (name) => foreignController(name, classes, ours))];
    }
    if (kind === "ConfigMap" && apiVersion === "v1") {
      const map = objectOf(configMap, document);
      if (isControllerConfig(map)) {
        const findings = configMapFindings(map, document);
        const { file, line } = document;
        return [
          { file, line, kind, name: nameOf(map), outcome: worst(findings.map(({ outcome }) => outcome)), findings },
        ];
      }
    }
    others.set(document.file, (others.get(document.file) ?? 0) + 1);
    return [];
  });
  const counts = (file: string): FileCounts => {
    const of = (outcome: string): number =>
      objects.filter((one) => one.file === file && one.outcome === outcome).length;
    return { file, same: of("same"), differently: of("differently"), not: of("not"), others: others.get(file) ?? 0 };
  };
  return {
    objects,
    classes: classReports(ingresses, classes, ours),
    files: [...new Set(documents.map(({ file }) => file))].map(counts),
    always: ALWAYS,
  };
}
