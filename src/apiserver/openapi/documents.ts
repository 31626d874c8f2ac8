import { createHash } from "node:crypto";
import { versionsOf } from "../discovery/documents.ts";
import type { Served } from "../discovery/resources.ts";
import { openApiV2Protobuf } from "./gnostic.ts";
import { pathsOf } from "./paths.ts";
import { schemasOf, type Schema } from "./schemas.ts";
import { openApiV2 } from "./v2.ts";

/** A document as it is sent. */
export interface Document {
  readonly body: Buffer;
  /** Changes with the contents. */
  readonly hash: string;
}

const INFO = { title: "Kubernetes", version: "1.36" };

const hashOf = (body: Buffer): string => createHash("sha512").update(body).digest("hex").toUpperCase();
const sent = (body: Buffer): Document => ({ body, hash: hashOf(body) });

/** `api/v1`, `apis/discovery.k8s.io/v1`: how the index names a group and version. */
const pathOf = (group: string, version: string): string =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

/** The OpenAPI documents of what a server serves. Each is made when first asked for: most servers are never asked for most of them. */
export class OpenApiDocuments {
  readonly #served: readonly Served[];
  readonly #made = new Map<string, Document>();

  constructor(served: readonly Served[]) {
    this.#served = served;
  }

  /** `/openapi/v3`: where the documents are. */
  index(): object {
    const paths = this.#versions().map(({ path }) => {
      const { hash } = this.v3(path)!;
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
    });
    return { paths: Object.fromEntries(paths) as object };
  }

  /** The OpenAPI 3 document of a group and version, by its path in the index; undefined when it is not served. */
  v3(path: string): Document | undefined {
    const found = this.#versions().find((one) => one.path === path);
    return found && this.#once(path, () => Buffer.from(JSON.stringify(this.#v3(found.served))));
  }

  /** The OpenAPI 2 document of everything. */
  v2(): Document {
    return this.#once("v2", () => Buffer.from(JSON.stringify(this.#v2())));
  }

  /** The same as a protobuf message. */
  v2Protobuf(): Document {
    return this.#once("v2 protobuf", () => openApiV2Protobuf(this.#v2()));
  }

  #once(name: string, make: () => Buffer): Document {
    let document = this.#made.get(name);
    if (document === undefined) this.#made.set(name, (document = sent(make())));
    return document;
  }

  #versions(): { path: string; served: readonly Served[] }[] {
    return versionsOf(this.#served).map(({ group, version, kinds }) => ({
      path: pathOf(group, version),
      served: kinds,
    }));
  }

  #v3(served: readonly Served[]): Schema {
    return {
      openapi: "3.0.0",
      info: INFO,
      paths: Object.assign({}, ...served.map(pathsOf)) as object,
      components: {
        schemas: schemasOf(served),
        securitySchemes: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
      },
    };
  }

  #v2(): Schema {
    return openApiV2(
      this.#versions().map((version) => this.#v3(version.served)),
      INFO,
    );
  }
}
