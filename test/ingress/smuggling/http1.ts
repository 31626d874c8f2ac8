import type { Shape } from "./shape.ts";

/** A request that is hidden in another one; a backend that gets it was deceived. */
const HIDDEN = (host: string): string => `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

const text =
  (write: (host: string) => string): Shape["bytes"] =>
  (host) =>
    Buffer.from(write(host), "latin1");

type More = Partial<Pick<Shape, "status" | "never">>;

/** A GET with these lines in its head. */
const get = (name: string, end: Shape["end"], lines: string, more: More = {}): Shape => ({
  name,
  over: "http1",
  end,
  bytes: text((host) => `GET /a HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\nConnection: close\r\n\r\n`),
  ...more,
});

/** A POST with these lines in its head, and what comes after it. */
const post = (
  name: string,
  end: Shape["end"],
  lines: string,
  after: (host: string) => string,
  more: More = {},
): Shape => ({
  name,
  over: "http1",
  end,
  bytes: text((host) => `POST /a HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n\r\n${after(host)}`),
  ...more,
});

/** A body in chunks, sent as the last request of its connection. */
const chunks = (name: string, end: Shape["end"], body: string, more: More = {}): Shape =>
  post(name, end, "Transfer-Encoding: chunked\r\nConnection: close", (host) => body + HIDDEN(host), more);

/** A whole head. */
const head = (name: string, end: Shape["end"], write: (host: string) => string, more: More = {}): Shape => ({
  name,
  over: "http1",
  end,
  bytes: text(write),
  ...more,
});

const refused = "refused";
const once = "once";
const either = "refused or once";

export const http1Shapes: readonly Shape[] = [
  // Lengths.
  post(
    "both lengths, Content-Length first",
    refused,
    "Content-Length: 4\r\nTransfer-Encoding: chunked",
    (h) => `0\r\n\r\n${HIDDEN(h)}`,
    { status: 400 },
  ),
  post(
    "both lengths, Transfer-Encoding first",
    refused,
    "Transfer-Encoding: chunked\r\nContent-Length: 4",
    (h) => `0\r\n\r\n${HIDDEN(h)}`,
    { status: 400 },
  ),
  post("two Content-Length that differ", refused, "Content-Length: 0\r\nContent-Length: 60", HIDDEN, { status: 400 }),
  post("two Content-Length that agree", refused, "Content-Length: 0\r\nContent-Length: 0", HIDDEN),
  post("a list in Content-Length", refused, "Content-Length: 0, 60", HIDDEN, { status: 400 }),
  post("a list of equal ones in Content-Length", refused, "Content-Length: 0, 0", HIDDEN),
  post("a negative Content-Length", refused, "Content-Length: -1", HIDDEN, { status: 400 }),
  post("a Content-Length with a plus", refused, "Content-Length: +0", HIDDEN, { status: 400 }),
  post("a hexadecimal Content-Length", refused, "Content-Length: 0x10", HIDDEN, { status: 400 }),
  post("a Content-Length with a fraction", refused, "Content-Length: 1.0", HIDDEN),
  post("a Content-Length with a space in it", refused, "Content-Length: 1 0", HIDDEN),
  post("an empty Content-Length", refused, "Content-Length:", HIDDEN),
  post("a Content-Length that no number holds", refused, "Content-Length: 18446744073709551616", HIDDEN),
  post("a quoted Content-Length", refused, 'Content-Length: "0"', HIDDEN),
  // Codings.
  post("Transfer-Encoding: xchunked", refused, "Transfer-Encoding: xchunked", (h) => `0\r\n\r\n${HIDDEN(h)}`),
  post(
    "Transfer-Encoding: chunked, identity",
    refused,
    "Transfer-Encoding: chunked, identity",
    (h) => `0\r\n\r\n${HIDDEN(h)}`,
  ),
  post("Transfer-Encoding: identity", refused, "Transfer-Encoding: identity", HIDDEN),
  post("Transfer-Encoding: gzip, chunked", refused, "Transfer-Encoding: gzip, chunked", (h) => `0\r\n\r\n${HIDDEN(h)}`),
  post(
    "Transfer-Encoding: chunked, chunked",
    refused,
    "Transfer-Encoding: chunked, chunked",
    (h) => `0\r\n\r\n${HIDDEN(h)}`,
  ),
  post(
    "two Transfer-Encoding",
    refused,
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    (h) => `0\r\n\r\n${HIDDEN(h)}`,
  ),
  post("an empty Transfer-Encoding", refused, "Transfer-Encoding:\r\nContent-Length: 0", HIDDEN),
  post(
    "Transfer-Encoding with a vertical tab",
    refused,
    "Transfer-Encoding: \x0bchunked",
    (h) => `0\r\n\r\n${HIDDEN(h)}`,
  ),
  post("a quoted Transfer-Encoding", refused, 'Transfer-Encoding: "chunked"', (h) => `0\r\n\r\n${HIDDEN(h)}`),
  post("Transfer-Encoding folded", refused, "Transfer-Encoding:\r\n chunked", (h) => `0\r\n\r\n${HIDDEN(h)}`),
  post(
    "Transfer-Encoding with a space before its colon",
    refused,
    "Transfer-Encoding : chunked\r\nContent-Length: 5",
    (h) => `0\r\n\r\n${HIDDEN(h)}`,
    { status: 400 },
  ),
  post(
    "Transfer-Encoding with a dash that is an underscore",
    either,
    "Transfer_Encoding: chunked\r\nContent-Length: 0\r\nConnection: close",
    HIDDEN,
    { never: ["transfer-encoding: chunked"] },
  ),
  head(
    "Transfer-Encoding in HTTP/1.0",
    refused,
    (h) => `POST /a HTTP/1.0\r\nHost: ${h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN(h)}`,
  ),
  // Chunks.
  chunks("a whole body in chunks, and nothing hidden", once, "3\r\nabc\r\n0\r\n\r\n"),
  chunks("a chunk extension", either, "3;a=b\r\nabc\r\n0\r\n\r\n", { never: ["a=b"] }),
  chunks("a chunk extension with a bare line feed in it", refused, "3;a\nb\r\nabc\r\n0\r\n\r\n"),
  chunks("a chunk extension of 64 kB", refused, `3;${"a".repeat(65_536)}\r\nabc\r\n0\r\n\r\n`),
  chunks("a chunk size with 0x", refused, "0x3\r\nabc\r\n0\r\n\r\n"),
  chunks("a chunk size with a plus", refused, "+3\r\nabc\r\n0\r\n\r\n"),
  chunks("a negative chunk size", refused, "-3\r\nabc\r\n0\r\n\r\n"),
  chunks("a chunk size that no number holds", refused, "10000000000000003\r\nabc\r\n0\r\n\r\n"),
  chunks("a chunk size with a space before it", refused, " 3\r\nabc\r\n0\r\n\r\n"),
  chunks("an empty chunk size", refused, "\r\nabc\r\n0\r\n\r\n"),
  chunks("a chunk that is longer than it says", refused, "3\r\nabcdef\r\n0\r\n\r\n"),
  chunks("a chunk that ends with a line feed alone", refused, "3\r\nabc\n0\r\n\r\n"),
  chunks("a chunk size that ends with a line feed alone", refused, "3\nabc\r\n0\r\n\r\n"),
  chunks("a chunk size that ends with a carriage return alone", refused, "3\rabc\r\n0\r\n\r\n"),
  chunks("trailers that say another length", either, "3\r\nabc\r\n0\r\nContent-Length: 60\r\n\r\n"),
  // Lines and names.
  head("every line ends with a line feed alone", refused, (h) => `GET /a HTTP/1.1\nHost: ${h}\nConnection: close\n\n`),
  get("a header line that ends with a line feed alone", refused, "X-A: b\nX-B: c"),
  get("a header line that ends with a carriage return alone", refused, "X-A: b\rX-B: c"),
  head(
    "a head that ends with a line feed alone",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\n`,
  ),
  get("a folded header line", refused, "X-A: b\r\n c"),
  head(
    "a header line folded after the first one",
    refused,
    (h) => `GET /a HTTP/1.1\r\n Host: ${h}\r\nConnection: close\r\n\r\n`,
  ),
  get("a space before a colon", refused, "X-A : b", { status: 400 }),
  get("a tab before a colon", refused, "X-A\t: b"),
  get("a space in a name", refused, "X A: b", { status: 400 }),
  get("a name of nothing", refused, ": b"),
  get("a line without a colon", refused, "X-A"),
  get("a name with a NUL", refused, "X\0A: b"),
  get("a value with a NUL", refused, "X-A: b\0c", { status: 400 }),
  get("a name of what is not ASCII", refused, "X-\xe4: b"),
  get("a value with a bell", either, "X-A: b\x07c"),
  // Hosts.
  head("no Host", refused, () => "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", { status: 400 }),
  head("two Host", refused, (h) => `GET /a HTTP/1.1\r\nHost: ${h}\r\nHost: other.example\r\nConnection: close\r\n\r\n`),
  head(
    "two Host that agree",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: ${h}\r\nHost: ${h}\r\nConnection: close\r\n\r\n`,
  ),
  head("a Host with a path", refused, (h) => `GET /a HTTP/1.1\r\nHost: ${h}/b\r\nConnection: close\r\n\r\n`),
  head(
    "a Host with a user",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: other.example@${h}\r\nConnection: close\r\n\r\n`,
  ),
  head(
    "a Host with a space",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: ${h} other.example\r\nConnection: close\r\n\r\n`,
  ),
  head(
    "a Host that is a list",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: ${h}, other.example\r\nConnection: close\r\n\r\n`,
  ),
  head(
    "a Host with a port that is none",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: ${h}:http\r\nConnection: close\r\n\r\n`,
  ),
  // Targets and request lines.
  head(
    "an absolute target for another host",
    refused,
    (h) => `GET http://other.example/a HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`,
  ),
  head(
    "an absolute target for this host",
    once,
    (h) => `GET http://${h}/a HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`,
  ),
  head("a target that is no path", refused, (h) => `GET a HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head(
    "a target with a control character",
    refused,
    (h) => `GET /a\x01 HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`,
  ),
  head("a target with a tab", refused, (h) => `GET /a\tb HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("a target with a space", refused, (h) => `GET /a b HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("a target that is not ASCII", refused, (h) => `GET /\xe4 HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("CONNECT", refused, (h) => `CONNECT ${h}:80 HTTP/1.1\r\nHost: ${h}:80\r\nConnection: close\r\n\r\n${HIDDEN(h)}`),
  head("TRACE", refused, (h) => `TRACE /a HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`, { status: 405 }),
  head(
    "a method that nobody knows, of 8 kB",
    refused,
    (h) => `${"A".repeat(8192)} /a HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`,
  ),
  head("a method in small letters", refused, (h) => `get /a HTTP/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("HTTP/0.9", refused, () => "GET /a\r\n\r\n"),
  head("HTTP/0.9 that says so", refused, (h) => `GET /a HTTP/0.9\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("HTTP/1.2", refused, (h) => `GET /a HTTP/1.2\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("HTTP/2.0 in a request line", refused, (h) => `GET /a HTTP/2.0\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("HTTP/1.10", refused, (h) => `GET /a HTTP/1.10\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head("http/1.1 in small letters", refused, (h) => `GET /a http/1.1\r\nHost: ${h}\r\nConnection: close\r\n\r\n`),
  head(
    "a head of 100 kB",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: ${h}\r\nX-A: ${"a".repeat(100_000)}\r\nConnection: close\r\n\r\n`,
    { status: 431 },
  ),
  head(
    "5,000 header lines",
    refused,
    (h) => `GET /a HTTP/1.1\r\nHost: ${h}\r\n${"a:b\r\n".repeat(5000)}Connection: close\r\n\r\n`,
    { status: 431 },
  ),
  // After a request.
  post("rubbish after a body", once, "Content-Length: 3", () => "abc\x00\x01\x02 rubbish\r\n\r\n"),
  post("more after a body than its length says", once, "Content-Length: 3", () => "abcGARBAGE / HTTP/9.9\r\n\r\n"),
  post(
    "a request after the last one of its connection",
    once,
    "Content-Length: 3\r\nConnection: close",
    (h) => `abc${HIDDEN(h)}`,
  ),
  get(
    "an upgrade to h2c",
    once,
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nConnection: upgrade, HTTP2-Settings",
    { never: ["h2c", "http2-settings"] },
  ),
  get("an expectation that nobody knows", either, "Expect: 200-ok"),
  get("Connection that names Host", once, "Connection: Host, X-A\r\nX-A: b", { never: ["x-a: b"] }),
];
