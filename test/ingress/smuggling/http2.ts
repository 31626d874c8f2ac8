import { END_HEADERS, END_STREAM, fields, frame, TYPE } from "./frames.ts";
import type { Shape } from "./shape.ts";

type Fields = readonly (readonly [string, string])[];

const usual = (host: string, method = "GET", path = "/a"): Fields => [
  [":method", method],
  [":scheme", "https"],
  [":path", path],
  [":authority", host],
];

const refused = "refused";
/** RFC 9113 §8.2.1 has such requests refused; a server that takes the field out is as safe. */
const either = "refused or once";

/** One request without a body. */
const get = (
  name: string,
  end: Shape["end"],
  list: (host: string) => Fields,
  never: readonly string[] = [],
): Shape => ({
  name: `HTTP/2: ${name}`,
  over: "http2",
  end,
  never,
  bytes: (host) => frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, fields(list(host))),
});

/** One request with a body that is sent as it is. */
const post = (name: string, end: Shape["end"], more: Fields, body: string): Shape => ({
  name: `HTTP/2: ${name}`,
  over: "http2",
  end,
  bytes: (host) =>
    Buffer.concat([
      frame(TYPE.HEADERS, END_HEADERS, 1, fields([...usual(host, "POST"), ...more])),
      frame(TYPE.DATA, END_STREAM, 1, Buffer.from(body)),
    ]),
});

const with1 =
  (name: string, value: string) =>
  (host: string): Fields => [...usual(host), [name, value]];

export const http2Shapes: readonly Shape[] = [
  get("a request as it should be", "once", usual),
  get("a name in capitals", refused, with1("X-A", "b")),
  get("a name with a colon", either, with1("x:a", "b"), ["x:a"]),
  get("a name with a space", either, with1("x a", "b"), ["x a"]),
  get("a name with a line end", either, with1("x-a: b\r\nx-b", "c"), ["x-a", "x-b"]),
  get("a value with a line end", either, with1("x-a", "b\r\nTransfer-Encoding: chunked"), ["x-a", "transfer-encoding"]),
  get("a value with a line feed", either, with1("x-a", "b\nc"), ["x-a"]),
  get("a value with a NUL", either, with1("x-a", "b\0c"), ["x-a"]),
  get("transfer-encoding", refused, with1("transfer-encoding", "chunked")),
  get("connection", refused, with1("connection", "x-a")),
  get("keep-alive", refused, with1("keep-alive", "timeout=5")),
  get("upgrade", refused, with1("upgrade", "websocket")),
  get("te that is not trailers", refused, with1("te", "chunked")),
  get("a pseudo header after others", refused, (host) => [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", host],
    ["x-a", "b"],
    [":path", "/a"],
  ]),
  get("two :path", refused, with1(":path", "/smuggled")),
  get("two :method", refused, with1(":method", "POST")),
  get("two :authority", refused, with1(":authority", "other.example")),
  get("a pseudo header that nobody knows", refused, (host) => [[":a", "b"], ...usual(host)]),
  get("no :path", refused, (host) => usual(host).filter(([name]) => name !== ":path")),
  get("an empty :path", refused, (host) => usual(host, "GET", "")),
  get("a :path that is none", refused, (host) => usual(host, "GET", "a")),
  get("a :path with a space and a version", refused, (host) => usual(host, "GET", "/a HTTP/1.1")),
  get("a :path with a line end", refused, (host) =>
    usual(host, "GET", `/a HTTP/1.1\r\nHost: ${host}\r\n\r\nGET /smuggled`),
  ),
  get("a :method with a line end", refused, (host) =>
    usual(host, `GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\nGET`),
  ),
  get("a :method with a space", refused, (host) => usual(host, "GET /smuggled")),
  get("no :authority and no host", refused, (host) => usual(host).filter(([name]) => name !== ":authority")),
  get("a host that is another than :authority", refused, with1("host", "other.example")),
  get("an :authority with a user", refused, (host) => usual(`other.example@${host}`)),
  get("an :authority with a path", refused, (host) => usual(`${host}/smuggled`)),
  get("a :scheme with a line end", refused, (host) => [
    [":method", "GET"],
    [":scheme", "https://x/\r\nx: "],
    [":path", "/a"],
    [":authority", host],
  ]),
  get("TRACE", refused, (host) => usual(host, "TRACE")),
  get("CONNECT", refused, (host) => [
    [":method", "CONNECT"],
    [":authority", `${host}:80`],
  ]),
  post("a body that is shorter than content-length", refused, [["content-length", "9"]], "abc"),
  post("a body that is longer than content-length", refused, [["content-length", "1"]], "abc"),
  post(
    "two content-length",
    refused,
    [
      ["content-length", "3"],
      ["content-length", "60"],
    ],
    "abc",
  ),
  post("a content-length that is no number", refused, [["content-length", "+3"]], "abc"),
  post("a body as it should be", "once", [["content-length", "3"]], "abc"),
  {
    name: "HTTP/2: 8,000 frames of headers that do not end",
    over: "http2",
    end: refused,
    bytes: (host) =>
      Buffer.concat([
        frame(TYPE.HEADERS, END_STREAM, 1, fields(usual(host))),
        ...Array.from({ length: 8000 }, (_, i) => frame(TYPE.CONTINUATION, 0, 1, fields([[`x-${i}`, "b"]]))),
      ]),
  },
  {
    name: "HTTP/2: headers of 100 kB",
    over: "http2",
    end: refused,
    bytes: (host) =>
      Buffer.concat([
        frame(TYPE.HEADERS, END_STREAM, 1, fields(usual(host))),
        ...Array.from({ length: 6 }, (_, i) =>
          frame(TYPE.CONTINUATION, 0, 1, fields([[`x-${i}`, "b".repeat(16_000)]])),
        ),
        frame(TYPE.CONTINUATION, END_HEADERS, 1, fields([["x-9", "b".repeat(4000)]])),
      ]),
  },
  {
    name: "HTTP/2: data before headers",
    over: "http2",
    end: refused,
    bytes: () => frame(TYPE.DATA, END_STREAM, 1, Buffer.from("GET /smuggled HTTP/1.1\r\n\r\n")),
  },
  {
    name: "HTTP/2: an HTTP/1.1 request after the preface",
    over: "http2",
    end: refused,
    bytes: (host) => Buffer.from(`GET /smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  },
];
