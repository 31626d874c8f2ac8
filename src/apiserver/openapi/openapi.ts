import { createHash } from "node:crypto";
import type { Kind } from "../../api/kind.ts";
import type { Context } from "../context.ts";
import { versionsOf } from "../discovery/documents.ts";
import { methodNotAllowed } from "../errors.ts";
import { negotiate } from "../http/accept.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendJson, sendText, startAnswer } from "../http/respond.ts";
import { pathsOf } from "./paths.ts";
import { schemasOf } from "./schemas.ts";
import { OPENAPI_V2_PROTOBUF, openApiV2Json, openApiV2Protobuf } from "./v2.ts";

interface Document {
  readonly text: string;
  readonly hash: string;
}

/** Documents are made when first asked for: most servers are never asked for most of them. */
const made = new WeakMap<readonly Kind[], Map<string, Document>>();

/** The OpenAPI 3 document of one group and version, as JSON. */
function documentOf(kinds: readonly Kind[], group: string, version: string): Document | undefined {
  let documents = made.get(kinds);
  if (documents === undefined) made.set(kinds, (documents = new Map()));
  const key = `${group}/${version}`;
  const found = documents.get(key);
  if (found !== undefined) return found;
  const mine = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (mine.length === 0) return undefined;
  const text = JSON.stringify({
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.36.2" },
    paths: Object.assign({}, ...mine.map(pathsOf)) as object,
    components: { schemas: schemasOf(mine, { group, version }) },
  });
  const document = { text, hash: createHash("sha256").update(text).digest("hex").toUpperCase() };
  documents.set(key, document);
  return document;
}

/** `api/v1`, `apis/discovery.k8s.io/v1`: how the index names a group and version. */
const pathOf = (group: string, version: string): string =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

function indexOf(kinds: readonly Kind[]): object {
  const entries = versionsOf(kinds).map(({ group, version }) => {
    const path = pathOf(group, version);
    const hash = documentOf(kinds, group, version)!.hash;
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(entries) as object };
}

async function sendV2(exchange: Exchange): Promise<void> {
  if (!String(exchange.request.headers.accept).includes(OPENAPI_V2_PROTOBUF)) {
    negotiate(exchange.request.headers.accept);
    return sendText(exchange, 200, openApiV2Json);
  }
  // The `@` of the name asked for is no sign of a media type; upstream answers with a dot.
  startAnswer(exchange, 200, OPENAPI_V2_PROTOBUF.replace("@", "."));
  exchange.answer.end(openApiV2Protobuf);
}

/** `/openapi/v3` and the documents below it, and an empty `/openapi/v2`. False when the path is none of these. */
export async function sendOpenApi(context: Context, exchange: Exchange): Promise<boolean> {
  if (exchange.path === "/openapi/v2" && exchange.method === "GET") {
    await sendV2(exchange);
    return true;
  }
  const found = /^\/openapi\/v3(?:\/(.*))?$/.exec(exchange.path);
  if (found === null) return false;
  if (exchange.method !== "GET") throw methodNotAllowed();
  const kinds = context.kinds.all;
  if (found[1] === undefined || found[1] === "") {
    negotiate(exchange.request.headers.accept);
    await sendJson(exchange, 200, indexOf(kinds));
    return true;
  }
  const [, core, group, version] = /^(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(found[1]) ?? [];
  const document = documentOf(kinds, group ?? "", version ?? core ?? "");
  if (document === undefined) return false;
  negotiate(exchange.request.headers.accept);
  exchange.answer.setHeader("etag", `"${document.hash}"`);
  await sendText(exchange, 200, document.text);
  return true;
}
