import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Answered, Subject } from "./subject.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- answers are looked into by the tests
type Json = any;

/** What a server said to a write of a Service, in the form tests compare. */
export interface Said {
  readonly code: number;
  /** The reason of a Status; undefined for an object. */
  readonly reason: string | undefined;
  /** `Required spec.ports: Required value`, one for each cause, in order. */
  readonly causes: readonly string[];
  readonly message: string;
  /** The texts of the `Warning` headers, in order. */
  readonly warnings: readonly string[];
  readonly body: Json;
  readonly spec: Json;
}

interface Cause {
  readonly reason?: string;
  readonly field?: string;
  readonly message?: string;
}

const causeText = ({ reason = "", field = "", message = "" }: Cause): string =>
  `${reason.replace("FieldValue", "")} ${field}: ${message}`;

/** The texts of `299 - "…"`, RFC 9110 section 5.5: a quoted string with backslashes. */
const warningTexts = (header: string | undefined): string[] =>
  [...(header ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replaceAll(/\\(.)/g, "$1"));

const saidOf = ({ code, headers, body }: Answered): Said => ({
  code,
  reason: body?.reason,
  causes: (body?.details?.causes ?? []).map(causeText),
  message: body?.message ?? "",
  warnings: warningTexts(headers.warning),
  body,
  spec: body?.spec,
});

export const PATH = "/api/v1/namespaces/default/services";
const PATCHES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

/** Writes Services to a server under test. Each has a name of its own unless one is given. */
export class Services {
  readonly #subject: Subject;
  #made = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  newName(): string {
    return `s${(this.#made += 1)}`;
  }

  /** POST. `metadata` may name it, or hold anything else. */
  async create(spec: object, metadata: object = {}, query = ""): Promise<Said> {
    const body = { metadata: { name: this.newName(), ...metadata }, spec };
    return saidOf(await this.#subject.ask("POST", PATH + query, body));
  }

  /** As `create`, for one that is only the ground of a test. */
  async made(spec: object, metadata: object = {}): Promise<Json> {
    const said = await this.create(spec, metadata);
    assert.equal(said.code, 201, said.message);
    return said.body;
  }

  /** PUT of nothing but this spec, as a client does that keeps its manifest. */
  async replace(name: string, spec: object, metadata: object = {}, query = ""): Promise<Said> {
    return saidOf(await this.#subject.ask("PUT", `${PATH}/${name}${query}`, { metadata: { name, ...metadata }, spec }));
  }

  /** PUT of what is there with some of its spec changed; undefined takes a field away. */
  async modify(name: string, change: object): Promise<Said> {
    const was = await this.read(name);
    const body = { ...was, spec: { ...was.spec, ...change } };
    return saidOf(await this.#subject.ask("PUT", `${PATH}/${name}`, body));
  }

  async patch(name: string, body: unknown, kind: keyof typeof PATCHES = "merge", query = ""): Promise<Said> {
    const headers = { "content-type": PATCHES[kind] };
    return saidOf(await this.#subject.ask("PATCH", `${PATH}/${name}${query}`, body, { headers }));
  }

  /** PUT of the whole object through `/status`, with this status. */
  async status(name: string, status: object, more: object = {}): Promise<Said> {
    const was = await this.read(name);
    return saidOf(await this.#subject.ask("PUT", `${PATH}/${name}/status`, { ...was, ...more, status }));
  }

  async read(name: string): Promise<Json> {
    const { code, body } = await this.#subject.ask("GET", `${PATH}/${name}`);
    assert.equal(code, 200, body?.message);
    return body;
  }

  async remove(name: string): Promise<void> {
    const { code, text } = await this.#subject.ask("DELETE", `${PATH}/${name}`);
    assert.equal(code, 200, text);
  }

  /** The IPAddress objects of a Service. */
  async addresses(name: string): Promise<Json[]> {
    const { body } = await this.#subject.ask("GET", "/apis/networking.k8s.io/v1/ipaddresses");
    return body.items.filter(({ spec }: Json) => spec.parentRef.name === name);
  }
}

/** A create that is refused, or done, for what its spec says: statement, what it is about, spec, causes (none: it is done). */
export type Row = readonly [statement: string, about: string, spec: object, ...causes: string[]];

/** Refused with just these causes, or done when there are none. */
export function assertCauses(said: Said, causes: readonly string[]): void {
  assert.deepEqual(said.causes, causes, said.message);
  if (causes.length === 0) assert.ok(said.code < 300, said.message);
  else assert.deepEqual([said.code, said.reason], [422, "Invalid"]);
}

/** Whether an object has all these fields with these values; what it has beside them does not matter. */
export function assertHas(object: Json, wanted: Json): void {
  const found = Object.fromEntries(Object.keys(wanted).map((key) => [key, object?.[key]]));
  if (!isDeepStrictEqual(found, wanted)) assert.deepEqual(found, wanted);
}
