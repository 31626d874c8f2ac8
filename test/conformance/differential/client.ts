import { Agent, request } from "node:https";
import { canonicalIP } from "../../../src/net/ip.ts";
import type { Pair } from "../../apiserver/certificates.ts";
import type { Step } from "./grammar.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- bodies are taken apart by their fields
type Json = any;

interface Answer {
  readonly code: number;
  readonly warnings: readonly string[];
  readonly body: Json;
}

/** An answer with everything taken out or named that two servers cannot agree on. */
export interface Compared {
  readonly code: number;
  readonly warnings: readonly string[];
  readonly body: unknown;
}

/** Of two addresses that are asked for by name and cannot be had, upstream tells of either. */
const EITHER = /(\["[^"]+","[^"]+"\]: failed to allocate IP) .*/;
const SERVICES = "/api/v1/namespaces/default/services";
const IP_ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses";

/** Texts and numbers that a server chose by chance, each with the name it has in comparisons. */
class Chosen {
  readonly #names = new Map<string, string>();

  learn(value: unknown, kind: string): void {
    const text = String(value);
    if (!this.#names.has(text)) this.#names.set(text, `<${kind} ${this.#names.size}>`);
  }

  /** The JSON with every chosen value named. */
  name(json: unknown): unknown {
    if (typeof json === "number") return this.#names.get(String(json)) ?? json;
    if (typeof json === "string") {
      return json
        .replaceAll(/[0-9a-f.:]{4,}/g, (word) => this.#names.get(word) ?? word)
        .replace(EITHER, "$1 either of them");
    }
    if (Array.isArray(json)) return json.map((item) => this.name(item));
    if (typeof json !== "object" || json === null) return json;
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, this.name(value)]));
  }
}

/** One API server, and what it answered in a form that can be compared with another's. */
export class Client {
  readonly #agent: Agent;
  readonly #port: number;
  #chosen = new Chosen();

  constructor(port: number, ca: string, admin: Pair) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca, key: admin.key, cert: admin.cert });
  }

  close(): void {
    this.#agent.destroy();
  }

  async ask(method: string, path: string, body?: unknown, type = "application/json"): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: "127.0.0.1",
          port: this.#port,
          agent: this.#agent,
          method,
          path,
          headers: text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) },
        },
        (message) => {
          const chunks: Buffer[] = [];
          message.on("data", (chunk: Buffer) => chunks.push(chunk));
          message.on("error", reject);
          message.on("end", () => {
            const warnings = (message.headers.warning ?? "").split(/, (?=299 )/);
            resolve({
              code: message.statusCode ?? 0,
              warnings: warnings.filter((warning) => warning !== ""),
              body: JSON.parse(Buffer.concat(chunks).toString()),
            });
          });
        },
      );
      // A connection that the server closes before it answers: the request was not seen.
      asked.on("error", (error: NodeJS.ErrnoException) => {
        if (asked.reusedSocket || error.code === "ECONNRESET") resolve(this.ask(method, path, body, type));
        else reject(error);
      });
      asked.end(text);
    });
  }

  async #do({ action, name, spec, annotations, ingress }: Step): Promise<Answer> {
    const path = `${SERVICES}/${name}`;
    const whole = { metadata: { name, ...(annotations === undefined ? {} : { annotations }) }, spec };
    switch (action) {
      case "create":
        return this.ask("POST", SERVICES, whole);
      case "dryCreate":
        return this.ask("POST", `${SERVICES}?dryRun=All`, whole);
      case "replace":
        return this.ask("PUT", path, whole);
      case "dryReplace":
        return this.ask("PUT", `${path}?dryRun=All`, whole);
      case "delete":
        return this.ask("DELETE", path);
      case "patch":
        return this.ask("PATCH", path, { spec }, "application/merge-patch+json");
      case "status": {
        const body = { status: { loadBalancer: { ingress } }, spec };
        return this.ask("PATCH", `${path}/status`, body, "application/merge-patch+json");
      }
      case "modify": {
        const was = await this.ask("GET", path);
        if (was.code !== 200) return was;
        const next = { ...was.body.spec, ...spec };
        for (const [key, value] of Object.entries(spec)) if (value === null) delete next[key];
        return this.ask("PUT", path, { ...was.body, spec: next });
      }
    }
  }

  /** Does a step and answers with what can be compared: no times, no versions, names for what was chosen by chance. */
  async step(step: Step): Promise<Compared> {
    const { code, warnings, body } = await this.#do(step);
    const { spec } = body;
    this.#learn(code < 300 ? spec : body);
    if (code === 422 && JSON.stringify(body).includes("failed to allocate IP")) await this.#sweep();
    if (code < 300 && !step.action.startsWith("dry")) await this.#settle(body.metadata.resourceVersion);
    // Upstream stores a policy of an alias, and does not hide it in answers of `/status` alone (SVC-043).
    if (step.action === "status" && spec?.type === "ExternalName") delete spec.internalTrafficPolicy;
    // In a dry run upstream may answer with addresses of the stored object that the new one has no more.
    if (step.action === "dryReplace" && spec?.type === "ExternalName") delete spec.clusterIPs;
    if (body.metadata !== undefined) {
      for (const field of ["uid", "creationTimestamp", "resourceVersion", "managedFields"]) delete body.metadata[field];
    }
    if (body.details?.uid !== undefined) body.details.uid = "<uid>";
    return { code, warnings, body: this.#chosen.name(body) };
  }

  /**
   * Waits until the server's cache has seen a write. Upstream tries an update on what its cache has first; on an old object it may
   * warn of what is no more, and keep a node port until its repair loop comes by.
   */
  async #settle(resourceVersion: string): Promise<void> {
    await this.ask("GET", `${SERVICES}?resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`);
  }

  /** Addresses and node ports of the bands that people do not choose from were chosen by chance, granted or not. */
  #learn(told: unknown): void {
    const text = JSON.stringify(told);
    for (const [ip] of text.matchAll(/\b10\.96\.\d+\.\d+\b|\bfd00:10:96::[0-9a-f]+\b/g)) {
      if (!isStatic(ip)) this.#chosen.learn(ip, "IP");
    }
    for (const [, port] of text.matchAll(/(?<!30000-)\b(3[0-2]\d{3})\b/g)) {
      if (Number(port) > 30_085 && Number(port) < 32_768) this.#chosen.learn(port, "node port");
    }
  }

  /**
   * Gives back addresses that no Service holds. Of two addresses that are asked for by name, upstream keeps the one it could have
   * when the other one is refused, until its repair loop comes by (SVC-109 says otherwise of all other failures).
   */
  async #sweep(): Promise<void> {
    const services = await this.ask("GET", "/api/v1/services");
    const held = new Set(services.body.items.flatMap((item: Json) => item.spec.clusterIPs ?? []));
    const addresses = await this.ask("GET", IP_ADDRESSES);
    for (const { metadata } of addresses.body.items) {
      if (!held.has(metadata.name)) await this.ask("DELETE", `${IP_ADDRESSES}/${metadata.name}`);
    }
  }

  /** The addresses for which there are IPAddress objects, and those that the Services say, each with its holder. */
  async addresses(): Promise<{ held: readonly string[]; said: readonly string[] }> {
    const services = await this.ask("GET", "/api/v1/services");
    const said: string[] = services.body.items.flatMap(({ metadata, spec }: Json) =>
      (spec.clusterIPs ?? [])
        .filter((ip: string) => ip !== "None")
        .map((ip: string) => `${canonicalIP(ip)} ${metadata.name}`),
    );
    const addresses = await this.ask("GET", IP_ADDRESSES);
    const held: string[] = addresses.body.items.map(
      ({ metadata, spec }: Json) => `${metadata.name} ${spec.parentRef.name}`,
    );
    return { held: held.sort(), said: said.sort() };
  }

  /** Everything as it was at first. */
  async clear(names: readonly string[]): Promise<void> {
    for (const name of names) await this.ask("DELETE", `${SERVICES}/${name}`);
    this.#chosen = new Chosen();
  }
}

/** Whether an address is of the band that people choose from: the first 256. */
const isStatic = (ip: string): boolean =>
  /^10\.96\.0\.|^10\.96\.1\.0$|^fd00:10:96::[0-9a-f]{0,2}$|^fd00:10:96::100$/.test(ip);
