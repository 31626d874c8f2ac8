import type { StartedProcess } from "./started.ts";

/** A program and arguments that run what follows them inside the groups of a container. Always this same text. */
const JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"';

/** What a further program of a container is started by, outside of it: it counts to what the container may use. */
export const joinWords = ({ groups = [] }: StartedProcess): string[] =>
  groups.length === 0 ? [] : ["/bin/sh", "-c", JOIN, "sh", ...groups.map((group) => `${group}/cgroup.procs`), "--"];

/**
 * Options of setpriv that make a program a container's: its user, its groups, its capabilities at most. It runs inside, with the
 * host's files that a container cannot replace, as it does when the container itself is started.
 */
export const becomeOptions = ({
  user,
  group,
  supplementary = [],
  capabilities = [],
}: Pick<StartedProcess, "user" | "group" | "supplementary" | "capabilities">): string[] => [
  "--reuid",
  String(user),
  "--regid",
  String(group),
  ...(supplementary.length === 0 ? ["--clear-groups"] : ["--groups", supplementary.join(",")]),
  `--bounding-set=${["-all", ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(",")}`,
  "--inh-caps=-all",
];
