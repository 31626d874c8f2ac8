import { closes, same, type AnnotationGroup, type Verdict } from "../group.ts";

const CLOSED: Verdict = closes(
  "clients' certificates are not asked for, so anybody would be let in",
  "let the backend check them behind a Service of type LoadBalancer, or use auth-url",
);
/** Says something only beside the others. */
const beside: Verdict = closes("clients' certificates are not asked for", "see auth-tls-secret");

/** Certificates of clients: nobody is let in, for nobody would be kept out. */
export const clientCertificates: AnnotationGroup = {
  title: "Clients' certificates",
  annotations: [
    { name: "auth-tls-secret", value: "Secret", verdict: CLOSED },
    { name: "auth-tls-verify-client", value: "word", verdict: CLOSED, exceptions: { off: same } },
    { name: "auth-tls-verify-depth", value: "number", verdict: beside },
    { name: "auth-tls-error-page", value: "URL", verdict: beside },
    {
      name: "auth-tls-pass-certificate-to-upstream",
      value: "true or false",
      verdict: beside,
      exceptions: { false: same },
    },
    { name: "auth-tls-match-cn", value: "text", verdict: beside },
  ],
  read(said) {
    if (said.text("auth-tls-verify-client") === "off") return {};
    const name = clientCertificates.annotations.find(
      (one) => said.text(one.name) !== undefined && one.exceptions?.[said.text(one.name)!.toLowerCase()] === undefined,
    )?.name;
    if (name !== undefined) said.refuse(name, "clients' certificates are not asked for, so anybody would be let in");
    return {};
  },
};
