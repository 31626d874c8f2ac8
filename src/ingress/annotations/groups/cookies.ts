import { same, type AnnotationGroup } from "../group.ts";
import type { Said } from "../said.ts";

/** `FROM TO`, or `off`. */
function pairOf(said: Said, name: string): { readonly from: string; readonly to: string } | undefined {
  const text = said.text(name);
  if (text === undefined || text === "off") return undefined;
  const [from, to, ...more] = text.split(/\s+/);
  if (from !== undefined && to !== undefined && more.length === 0 && !/[;~]/.test(from + to)) return { from, to };
  said.wrong(name, `"off" or what is there and what it becomes, two words`, "cookies stay as they are");
  return undefined;
}

/** Changes of what a backend sets, and of where it sends clients. */
export const cookies: AnnotationGroup = {
  title: "Cookies and Location of the backend",
  annotations: [
    { name: "proxy-cookie-domain", value: "text", verdict: same },
    { name: "proxy-cookie-path", value: "text", verdict: same },
    { name: "proxy-redirect-from", value: "text", verdict: same },
    { name: "proxy-redirect-to", value: "text", verdict: same },
  ],
  read(said) {
    const domain = pairOf(said, "proxy-cookie-domain");
    const path = pairOf(said, "proxy-cookie-path");
    const from = said.text("proxy-redirect-from");
    const to = said.text("proxy-redirect-to");
    const isOff = from === undefined || from === "off" || from === "default";
    if (isOff ? from === undefined && to !== undefined && to !== "off" : to === undefined) {
      const name = isOff ? "proxy-redirect-to" : "proxy-redirect-from";
      said.fault(
        name,
        "AnnotationInvalid",
        "proxy-redirect-from and proxy-redirect-to go together; Location stays as it is",
      );
    }
    return {
      settings: {
        cookies: domain === undefined && path === undefined ? undefined : { domain, path },
        locations: isOff || to === undefined || to === "off" ? undefined : { from, to },
      },
    };
  },
};
