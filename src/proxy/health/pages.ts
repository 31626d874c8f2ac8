import { FIELD_FLAGS } from "../configuration/flags.ts";

/** What the two pages for people tell: `/statusz` and `/flagz` (KEP-4827, KEP-4828; on by default since 1.36). */
export interface Told {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly now: number;
  /** What `/configz` shows. */
  readonly configz: unknown;
  /** What else answers beside them. */
  readonly paths: readonly string[];
}

/** What is sent for such a page; 406 where the caller takes neither text nor the object. */
export interface Page {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

const COMPONENT = "kube-proxy";
/** The Kubernetes release whose behaviour is kept. */
const VERSION = "1.36";

const valueOf = (configz: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], configz);

const textOf = (value: unknown): string => {
  if (Array.isArray(value)) return value.join(",");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, one]) => `${name}=${one}`)
    .join(",");
};

/** Flags with what is in force, wherever it was said. */
const flagsOf = (configz: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(FIELD_FLAGS)
      .map(([name, { path }]) => [name, valueOf(configz, path)] as const)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, textOf(value)] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );

const head = (page: string): string =>
  `${COMPONENT} ${page}\nWarning: this page is for people who look for a fault, and its form may change at any time.\n\n`;

function status({ startedAt, now, paths }: Told): readonly [fields: object, text: string] {
  const seconds = Math.max(0, Math.floor((now - startedAt) / 1000));
  const two = (number: number): string => String(number).padStart(2, "0");
  const up = `${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)} sec`;
  const startTime = new Date(Math.floor(startedAt / 1000) * 1000).toISOString().replace(".000", "");
  // There is no Go here; the field is asked for, so it says what runs instead.
  const runtime = `node${process.versions.node}`;
  return [
    { startTime, uptimeSeconds: seconds, goVersion: runtime, binaryVersion: VERSION, paths },
    `Started: ${startTime}\nUp: ${up}\nGo version: ${runtime}\nBinary version: ${VERSION}\nPaths: ${paths.join(" ")}\n`,
  ];
}

function flags({ configz }: Told): readonly [fields: object, text: string] {
  const all = flagsOf(configz);
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\n`);
  return [{ flags: all }, lines.join("")];
}

/** The page as text, or as its object of `config.k8s.io/v1beta1` for who asks for that: the value of Accept decides. */
export function page(which: "statusz" | "flagz", accept: string | undefined, told: Told): Page {
  const [fields, text] = which === "statusz" ? status(told) : flags(told);
  const kind = which === "statusz" ? "Statusz" : "Flagz";
  for (const range of (accept?.trim() || "text/plain").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((one) => one.trim());
    if (["text/plain", "text/*", "*/*"].includes(type))
      return { code: 200, type: "text/plain; charset=utf-8", body: head(which) + text };
    const asked = Object.fromEntries(parameters.map((one) => one.split("=")));
    if (type !== "application/json" || asked["as"] !== kind || asked["g"] !== "config.k8s.io") continue;
    if (asked["v"] !== "v1beta1") continue;
    const body = { kind, apiVersion: "config.k8s.io/v1beta1", metadata: { name: COMPONENT }, ...fields };
    return { code: 200, type: "application/json", body: `${JSON.stringify(body)}\n` };
  }
  const wanted = `text/plain, or application/json;v=v1beta1;g=config.k8s.io;as=${kind}`;
  return { code: 406, type: "text/plain; charset=utf-8", body: `showing /${which}: it is ${wanted}\n` };
}
