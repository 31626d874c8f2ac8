import { closes, ignored, same, type AnnotationGroup } from "../group.ts";

const CLOSED = closes(
  "there is no ModSecurity here",
  "put a web application firewall before or behind the Ingress, and take this away",
);

/** A firewall for requests that cannot be had here. */
export const modsecurity: AnnotationGroup = {
  title: "ModSecurity",
  annotations: [
    { name: "enable-modsecurity", value: "true or false", verdict: CLOSED, exceptions: { false: same } },
    { name: "enable-owasp-core-rules", value: "true or false", verdict: CLOSED, exceptions: { false: same } },
    { name: "modsecurity-snippet", value: "snippet", verdict: CLOSED },
    { name: "modsecurity-transaction-id", value: "text", verdict: ignored("there is no ModSecurity here") },
  ],
  read(said) {
    const isOff = said.has("enable-modsecurity") && !said.truth("enable-modsecurity", true);
    for (const name of ["enable-modsecurity", "enable-owasp-core-rules"]) {
      if (!isOff && said.has(name) && said.truth(name, true)) said.refuse(name, "there is no ModSecurity here");
    }
    if (!isOff && said.text("modsecurity-snippet") !== undefined) {
      said.refuse("modsecurity-snippet", "there is no ModSecurity here");
    }
    return {};
  },
};
