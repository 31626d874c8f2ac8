import { differently, type AnnotationGroup } from "../group.ts";
import { headersOf } from "../header-maps.ts";

/** Headers on the way to the client. */
export const headers: AnnotationGroup = {
  title: "Headers for clients",
  annotations: [
    {
      name: "custom-headers",
      value: "ConfigMap",
      verdict: differently(
        "every header of the ConfigMap is set, which must be in the namespace of the Ingress; there is no global-allowed-response-headers",
      ),
    },
  ],
  read: (said) =>
    said.text("custom-headers") === undefined
      ? {}
      : { settings: { responseHeaders: headersOf(said, "custom-headers") } },
};
