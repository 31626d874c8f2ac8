import { same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

function codesOf(said: Said): readonly number[] {
  const all = said.list("custom-http-errors");
  const wrong = all.find((one) => !/^[3-5]\d\d$/.test(one));
  if (wrong !== undefined) {
    said.wrong(
      "custom-http-errors",
      `a list of statuses from 300 to 599 (${JSON.stringify(wrong)} is none)`,
      "it is left out",
    );
  }
  return [...new Set(all.map(Number).filter((code) => code >= 300 && code <= 599))].toSorted(
    (one, other) => one - other,
  );
}

function backendOf(said: Said): string | undefined {
  const name = said.text("default-backend");
  if (name === undefined) return undefined;
  if (!/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    said.wrong("default-backend", "the name of a Service in the namespace of the Ingress", "it is ignored");
    return undefined;
  }
  return name;
}

/** Who answers where the backend fails. */
export const errorPages: AnnotationGroup = {
  title: "Errors and who answers them",
  annotations: [
    { name: "custom-http-errors", value: "list", verdict: same },
    { name: "default-backend", value: "Service", verdict: same },
    { name: "disable-proxy-intercept-errors", value: "true or false", verdict: same },
  ],
  read(said) {
    const codes = said.truth("disable-proxy-intercept-errors", false) ? [] : codesOf(said);
    return {
      defaultBackend: backendOf(said),
      settings: { errorPages: codes.length === 0 ? undefined : { codes, backend: undefined } },
    };
  },
};
