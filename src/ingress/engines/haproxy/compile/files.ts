import type { Certificate } from "../../../plan/plan.ts";
import { createHash } from "node:crypto";
import type { Compiled } from "./compile.ts";
import { ROUTE_MAPS } from "./record.ts";

/** Names of files in HAProxy's directory, by which its commands know them too. */
export const HOSTS = "hosts.map";
export const EXACT = "exact.map";
export const PREFIX = "prefix.map";
export const EXPRESSIONS = "expressions.map";
export const TOKENS = "tokens.map";
export const CERTIFICATES = "certificates.list";
export const routeMap = (name: string): string => `route-${name}.map`;

/** Every map, as key → value. */
export function mapsOf(compiled: Compiled): Map<string, [key: string, value: string][]> {
  const maps = new Map<string, [string, string][]>();
  for (const name of [HOSTS, EXACT, PREFIX, EXPRESSIONS, TOKENS, ...ROUTE_MAPS.map(routeMap)]) maps.set(name, []);
  const add = (map: string, key: string, value: string): void => void maps.get(map)!.push([key, value]);
  for (const { entries, routes } of compiled.hosts.values()) {
    if (entries.hosts !== undefined) add(HOSTS, ...entries.hosts);
    for (const [key, record] of entries.exact) add(EXACT, key, record);
    for (const [key, record] of entries.prefix) add(PREFIX, key, record);
    for (const [pattern, record] of entries.expressions) add(EXPRESSIONS, pattern, record);
    for (const { id, values } of routes) for (const [name, value] of values) add(routeMap(name), id, value);
  }
  for (const { name, tokens } of compiled.slots.values())
    for (const [token, server] of tokens) add(TOKENS, `${name}/${token}`, server);
  return maps;
}

/** One entry a line. A key has no space in it. */
export const mapText = (entries: readonly (readonly [string, string])[]): string =>
  entries.map(([key, value]) => `${key} ${value}\n`).join("");

/** A certificate with the names that it is shown for. */
export interface CertificateFile {
  readonly file: string;
  /** What is in it: chain and key, without empty lines, which would end a command. */
  readonly text: string;
  /** As in SNI; empty for the default. */
  readonly names: readonly string[];
}

/** The one that is shown for every other name. */
export const DEFAULT_CERTIFICATE = "default.pem";

const asLines = (text: string): string => {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
};

/** One file a Secret, so that a new certificate takes the old one's place; the default one first. */
export function certificateFiles(certificates: ReadonlyMap<string, Certificate>): CertificateFile[] {
  const files = new Map<string, { text: string; names: string[]; certificate: Certificate }>();
  for (const [name, certificate] of certificates) {
    const text = (): string => asLines(certificate.chain) + asLines(certificate.key);
    if (name === "") {
      files.set(DEFAULT_CERTIFICATE, { text: text(), names: [], certificate });
      continue;
    }
    const identity = certificate.secret === "" ? text() : certificate.secret;
    const file = `${createHash("sha256").update(identity).digest("hex").slice(0, 32)}.pem`;
    const have = files.get(file);
    if (have === undefined) files.set(file, { text: text(), names: [name], certificate });
    else have.names.push(name);
  }
  return [...files]
    .map(([file, { text, names }]) => ({ file, text, names: names.toSorted() }))
    .toSorted((one, other) => Number(other.file === DEFAULT_CERTIFICATE) - Number(one.file === DEFAULT_CERTIFICATE));
}

/** Characters of the names in one line: HAProxy takes 65,535 in a file, and fewer in a command. */
const LINE = 8_000;

/** Names in as many lists as lines are needed for. */
export function inLines(names: readonly string[]): string[] {
  const lines: string[] = [];
  let line = "";
  for (const name of names) {
    if (line !== "" && line.length + 1 + name.length > LINE) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? name : ` ${name}`;
  }
  return [...lines, line];
}

/** Lines of the list. Names of the default are those of no other certificate, and none of its own are taken from it. */
export const listLines = ({ file, names }: CertificateFile): string =>
  (file === DEFAULT_CERTIFICATE ? ["!*"] : inLines(names)).map((line) => `${file} ${line}\n`).join("");
