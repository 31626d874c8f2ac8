import type { OutgoingHttpHeaders } from "node:http";

/* Imported as a module, node:http brings all of fetch and WebSocket with it: 40 ms of every start. */
const { STATUS_CODES } = process.getBuiltinModule("node:http");

export interface Page {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

const pages = new Map<string, Page>();

/** A short answer that names its status and nothing of us: as a page for whoever accepts one, else as plain text. */
export function page(status: number, accept: string | undefined): Page {
  const isHtml = accept !== undefined && /\btext\/html\b/i.test(accept.slice(0, 1000));
  const key = `${status}${isHtml ? " html" : ""}`;
  const made = pages.get(key);
  if (made !== undefined) return made;
  const title = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const body = isHtml
    ? `<!doctype html>\n<html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`
    : `${title}\n`;
  const result = {
    headers: {
      "content-type": `${isHtml ? "text/html" : "text/plain"}; charset=utf-8`,
      "content-length": String(Buffer.byteLength(body)),
    },
    body,
  };
  // Statuses are few.
  if (pages.size < 2000) pages.set(key, result);
  return result;
}
