import { familyOf } from "../../net/ip.ts";

/** How a connection went: it was made, nobody said a word in time, or an error said no, by its name in errno(3). */
export type Fate = "answered" | "silence" | `E${string}`;

/** One connection that a pod tried. */
export interface Trial {
  /** Where the kernel's firewalls see it: on its way through this machine, or to this machine itself. */
  readonly hook: "forward" | "input";
  /** The pod's address. */
  readonly from: string;
  /** Whom it meant, e.g. `another pod`. */
  readonly whom: string;
  /** Where that is. */
  readonly to: { readonly ip: string; readonly port: number };
  readonly fate: Fate;
}

/** Milliseconds that a connection may take: time for three SYNs of the kernel's, after 0, 1 and 3 seconds. */
export const PATIENCE = 5_000;

const familyOfTrial = ({ from }: Trial): "IPv4" | "IPv6" => familyOf(from) ?? "IPv4";

const written = ({ ip, port }: Trial["to"]): string => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

function fateInWords(fate: Fate): string {
  if (fate === "silence") return `was not answered within ${PATIENCE / 1000} s`;
  return fate === "ECONNREFUSED" ? "was refused" : `was refused (${fate})`;
}

const WHERE = {
  forward: "what this machine forwards (Docker, ufw and firewalld set that to drop)",
  input: "what comes to this machine from its pods (ufw and firewalld do)",
} as const;

/** The commands that let pods' traffic pass; every link of a pod begins with `fl`. */
function remedy(hook: Trial["hook"], families: ReadonlySet<"IPv4" | "IPv6">): string {
  const sides = hook === "forward" ? (["i", "o"] as const) : (["i"] as const);
  const tools = [...(families.has("IPv4") ? ["iptables"] : []), ...(families.has("IPv6") ? ["ip6tables"] : [])];
  const iptables = tools.flatMap((tool) =>
    sides.map((side) => `${tool} -I ${hook.toUpperCase()} -${side} fl+ -j ACCEPT`),
  );
  const nft = sides.map((side) => `nft 'insert rule FAMILY TABLE CHAIN ${side}ifname "fl*" accept'`);
  return (
    `let it accept interfaces whose name begins with fl: ${iptables.join("; ")}` +
    `; or, where its rules are nft's own, with its chain of 'hook ${hook}': ${nft.join("; ")}`
  );
}

/** What of it names a drop, whatever addresses and ports were tried; two of the same are the same news. */
export const keyOfTrial = (trial: Trial): string => `${trial.hook} ${familyOfTrial(trial)} ${trial.fate}`;

/**
 * What to say of the trials that failed: one sentence for each hook, with the remedy; none when all were answered. Each fits into the
 * message of an Event (1024 bytes).
 */
export function droppedInWords(trials: readonly Trial[]): string[] {
  return (["forward", "input"] as const).flatMap((hook) => {
    const failed = trials.filter((trial) => trial.hook === hook && trial.fate !== "answered");
    if (failed.length === 0) return [];
    const tried = failed.map(
      ({ from, whom, to, fate }) =>
        `a connection from a pod (${from}) to ${whom} (TCP ${written(to)}) ${fateInWords(fate)}`,
    );
    const does = failed.some(({ fate }) => fate === "silence") ? "drops" : "rejects";
    return [
      `${tried.join(", and ")}: a rule that is not Fairlead's probably ${does} ${WHERE[hook]}; ` +
        remedy(hook, new Set(failed.map(familyOfTrial))),
    ];
  });
}
