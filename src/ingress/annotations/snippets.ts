/**
 * The directives of a piece of nginx' configuration: each with its words, quotes taken away. What is in a block comes after the
 * directive that opened it.
 */
export function directivesOf(snippet: string): readonly (readonly string[])[] {
  const directives: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endDirective = (): void => {
    endWord();
    if (words.length > 0) directives.push(words);
    words = [];
  };
  for (let at = 0; at < snippet.length; at++) {
    const letter = snippet[at]!;
    if (letter === "\\" && at + 1 < snippet.length) {
      word = (word ?? "") + snippet[++at]!;
    } else if (quote !== undefined) {
      if (letter === quote) quote = undefined;
      else word = (word ?? "") + letter;
    } else if ((letter === '"' || letter === "'") && word === undefined) {
      quote = letter;
      word = "";
    } else if (letter === "#" && word === undefined) {
      while (at + 1 < snippet.length && snippet[at + 1] !== "\n") at++;
    } else if (/\s/.test(letter)) {
      endWord();
    } else if (letter === "{" && word?.endsWith("$") === true) {
      // `${name}` is a variable.
      word += letter;
    } else if (letter === "}" && word?.includes("${") === true && !word.slice(word.lastIndexOf("${")).includes("}")) {
      word += letter;
    } else if (letter === ";" || letter === "{" || letter === "}") {
      endDirective();
    } else {
      word = (word ?? "") + letter;
    }
  }
  endDirective();
  return directives;
}

/**
 * Directives that keep nobody out and lead nowhere else: without them a route is as closed as with them. Each other one may be what
 * protects it (deny, return, auth_request, if, rewrite, a script …).
 */
const HARMLESS = [
  /^(?:more_set_headers|more_clear_headers|add_header|add_trailer|expires|etag|charset|charset_types|default_type|types)$/,
  /^(?:gzip|brotli|zstd)(?:_\w+)?$/,
  /^sub_filter(?:_\w+)?$/,
  /^(?:access_log|error_log|log_not_found|log_subrequest|rewrite_log|uninitialized_variable_warn)$/,
  /^(?:proxy|grpc)_(?:\w+_)?timeout$/,
  /^(?:proxy|grpc)_(?:buffering|buffers|buffer_size|busy_buffers_size|request_buffering|max_temp_file_size|temp_file_write_size)$/,
  /^(?:proxy|grpc)_next_upstream(?:_\w+)?$/,
  /^proxy_(?:http_version|cookie_path|cookie_domain|redirect|socket_keepalive|headers_hash_\w+|ignore_client_abort)$/,
  /^(?:client_body_buffer_size|client_body_timeout|client_header_timeout|client_header_buffer_size|large_client_header_buffers)$/,
  /^(?:keepalive_timeout|keepalive_requests|send_timeout|lingering_\w+|tcp_nodelay|tcp_nopush|sendfile|chunked_transfer_encoding)$/,
  /^(?:http2_\w+|opentelemetry\w*|opentracing\w*|server_tokens|absolute_redirect|port_in_redirect|server_name_in_redirect)$/,
];
/** A backend that believes such a header would believe the client, where nginx no longer overwrites it. */
const IDENTITY =
  /user|auth|token|secret|identity|client|cert|role|group|tenant|account|session|key|ssl|tls|remote|real|forwarded-for|email|subject|original|internal/i;

/** The first directive of a snippet that may protect the route; undefined: none does. */
export function protectingDirective(snippet: string): string | undefined {
  for (const [name = "", header = "", value = ""] of directivesOf(snippet)) {
    if (HARMLESS.some((one) => one.test(name))) continue;
    const isPlain =
      (name === "proxy_set_header" || name === "grpc_set_header") && value !== "" && !IDENTITY.test(header);
    if (!isPlain) return name;
  }
  return undefined;
}
