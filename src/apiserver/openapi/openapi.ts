import type { Served } from "../discovery/resources.ts";
import { servedBy } from "../discovery/resources.ts";
import type { Context } from "../context.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendBytes, sendEmpty, sendJson } from "../http/respond.ts";
import { hasEtag } from "../http/etag.ts";
import type { Document, OpenApiDocuments } from "./documents.ts";

const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const YEAR_MS = 365 * 24 * 3600 * 1000;

const made = new WeakMap<readonly Served[], OpenApiDocuments>();

/** Loaded when first asked for: schemas and descriptions are no part of a server's start. */
async function documentsOf(context: Context): Promise<OpenApiDocuments> {
  const served = servedBy(context.kinds.all);
  let documents = made.get(served);
  if (documents === undefined) {
    const { OpenApiDocuments: Documents } = await import("./documents.ts");
    made.set(served, (documents = new Documents(served)));
  }
  return documents;
}

/** The media type, `json` or `protobuf`, that an Accept header asks for; undefined when it is neither. */
function formatOf(accept: string | undefined): "json" | "protobuf" | undefined {
  if (accept === undefined || accept.trim() === "") return "json";
  for (const clause of accept.split(",")) {
    const type = clause.split(";", 1)[0]!.trim();
    if (type === OPENAPI_V2_PROTOBUF) return "protobuf";
    if (type === "application/json" || type === "application/*" || type === "*/*") return "json";
  }
  return undefined;
}

async function sendDocument(
  exchange: Exchange,
  document: Document,
  type: string,
  cacheControl?: string,
): Promise<void> {
  exchange.answer.setHeader("etag", `"${document.hash}"`);
  exchange.answer.setHeader("vary", "Accept, Accept-Encoding");
  if (hasEtag(exchange.request.headers["if-none-match"], document.hash)) return sendEmpty(exchange, 304, cacheControl);
  return sendBytes(exchange, 200, document.body, type, cacheControl);
}

async function sendV2(context: Context, exchange: Exchange): Promise<void> {
  const format = formatOf(exchange.request.headers.accept);
  if (format === undefined) return sendEmpty(exchange, 406);
  const documents = await documentsOf(context);
  if (format === "json") return sendDocument(exchange, documents.v2(), "application/json");
  // The `@` of the name asked for is no sign of a media type; upstream answers with a dot.
  return sendDocument(exchange, documents.v2Protobuf(), OPENAPI_V2_PROTOBUF.replace("@", "."));
}

async function sendV3(context: Context, exchange: Exchange, path: string): Promise<void> {
  const document = (await documentsOf(context)).v3(path);
  if (document === undefined) return sendEmpty(exchange, 404);
  if (formatOf(exchange.request.headers.accept) !== "json") return sendEmpty(exchange, 406);
  const hash = exchange.query.get("hash");
  if (hash !== null && hash !== "") {
    if (hash !== document.hash) {
      exchange.answer.setHeader("location", `/openapi/v3/${path}?hash=${document.hash}`);
      return sendEmpty(exchange, 301);
    }
    exchange.answer.setHeader("expires", new Date(context.clock.now() + YEAR_MS).toUTCString());
    // What has the hash in its name never changes.
    return sendDocument(exchange, document, "application/json", "public, immutable");
  }
  return sendDocument(exchange, document, "application/json");
}

/** `/openapi/v2`, `/openapi/v3` and the documents below it. False when the path is none of these. */
export async function sendOpenApi(context: Context, exchange: Exchange): Promise<boolean> {
  if (!exchange.path.startsWith("/openapi/")) return false;
  if (exchange.path === "/openapi/v2") await sendV2(context, exchange);
  else if (exchange.path === "/openapi/v3") await sendJson(exchange, 200, (await documentsOf(context)).index());
  else if (exchange.path.startsWith("/openapi/v3/")) await sendV3(context, exchange, exchange.path.slice(12));
  else return false;
  return true;
}
