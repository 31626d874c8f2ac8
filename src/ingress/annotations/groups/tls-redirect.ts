import { closes, differently, ignored, same, type AnnotationGroup } from "../group.ts";

const ALLOW_HTTP = "kubernetes.io/ingress.allow-http";

/** Plain requests to https, and TLS that is not ended here. */
export const tlsRedirect: AnnotationGroup = {
  title: "HTTP and HTTPS",
  annotations: [
    { name: "ssl-redirect", value: "true or false", verdict: same },
    { name: "force-ssl-redirect", value: "true or false", verdict: same },
    {
      name: ALLOW_HTTP,
      value: "true or false",
      verdict: differently("plain requests are sent to https, where other controllers do not answer them at all"),
      exceptions: { true: same },
    },
    {
      name: "preserve-trailing-slash",
      value: "true or false",
      verdict: ignored("a redirect to https keeps the path as it came, its last slash too"),
    },
    {
      name: "use-port-in-redirects",
      value: "true or false",
      verdict: ignored("a redirect names a port where the client must have one to come back"),
    },
    {
      name: "ssl-passthrough",
      value: "true or false",
      verdict: closes(
        "TLS is ended here, so neither the backend's certificate nor its checks of clients would be in force",
        "use a Service of type LoadBalancer for this host",
      ),
      exceptions: { false: same },
    },
    {
      name: "ssl-ciphers",
      value: "text",
      verdict: differently("what TLS takes is one for all hosts: TLS 1.2 and 1.3 with the ciphers that are held sound"),
    },
    {
      name: "ssl-prefer-server-ciphers",
      value: "true or false",
      verdict: ignored("all ciphers that are taken are held sound, whichever the client prefers"),
    },
    { name: "http2-push-preload", value: "true or false", verdict: ignored("browsers no longer take what is pushed") },
  ],
  read(said) {
    const isForbidden = !said.truth(ALLOW_HTTP, true);
    const isForced = said.truth("force-ssl-redirect", false) || isForbidden;
    if (said.truth("ssl-passthrough", false)) {
      said.refuse("ssl-passthrough", "TLS is ended here, and connections cannot be passed on unread");
    }
    return {
      redirectsAlways: isForced,
      ...(said.truth("ssl-redirect", true) || isForced ? {} : { settings: { httpsRedirect: undefined } }),
    };
  },
};
