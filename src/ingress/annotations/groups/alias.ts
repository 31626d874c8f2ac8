import { same, type AnnotationGroup } from "../group.ts";

const HOST = /^(?:\*\.)?[a-z\d](?:[-a-z\d]{0,61}[a-z\d])?(?:\.[a-z\d](?:[-a-z\d]{0,61}[a-z\d])?)*$/;

/** More names for a host. */
export const alias: AnnotationGroup = {
  title: "More hosts",
  annotations: [{ name: "server-alias", value: "list", verdict: same }],
  read(said) {
    const all = [...new Set(said.list("server-alias").map((host) => host.toLowerCase()))].toSorted();
    const wrong = all.filter((host) => host.length > 253 || !HOST.test(host));
    if (wrong.length > 0) {
      said.fault(
        "server-alias",
        "AnnotationInvalid",
        `${wrong.map((host) => JSON.stringify(host)).join(", ")}: each must be a host's name or *.DOMAIN, not an expression; these are left out`,
      );
    }
    return { serverAliases: all.filter((host) => !wrong.includes(host)) };
  },
};
