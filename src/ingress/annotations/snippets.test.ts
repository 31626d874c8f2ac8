import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { directivesOf, protectingDirective } from "./snippets.ts";

void test("a snippet's directives, with quotes, remarks, blocks and variables", () => {
  deepEqual(
    directivesOf(`
      # deny all;
      more_set_headers "Strict-Transport-Security: max-age=1; includeSubDomains"; # return 403;
      if ($http_x ~* "^(a|b){2}$") { return 301 https://\${host}/it\\;s; }
      proxy_set_header X 'it "is"'
    `),
    [
      ["more_set_headers", "Strict-Transport-Security: max-age=1; includeSubDomains"],
      ["if", "($http_x", "~*", "^(a|b){2}$)"],
      ["return", "301", "https://${host}/it;s"],
      ["proxy_set_header", "X", 'it "is"'],
    ],
  );
  deepEqual(directivesOf(""), []);
  deepEqual(directivesOf("}}; {"), []);
});

const HARMLESS = [
  'more_set_headers "X-Frame-Options: DENY";',
  "add_header X-Robots-Tag noindex always; expires 1h;",
  "gzip on; gzip_types text/css; brotli off;",
  "proxy_set_header X-Forwarded-Proto https;",
  "proxy_read_timeout 600s; proxy_buffering off; client_body_buffer_size 1m;",
  "sub_filter 'a' 'b'; sub_filter_once off;",
  "# return 403;",
];
const PROTECTING: readonly [string, string][] = [
  ["deny all;", "deny"],
  ["allow 10.0.0.0/8; deny all;", "allow"],
  ['auth_basic "x";', "auth_basic"],
  ["auth_request /check;", "auth_request"],
  ["return 403;", "return"],
  ["internal;", "internal"],
  ["satisfy any;", "satisfy"],
  ["gzip on; if ($http_x = '') { return 401; }", "if"],
  ["limit_except GET { deny all; }", "limit_except"],
  ["access_by_lua_block { ngx.exit(403) }", "access_by_lua_block"],
  ["rewrite ^/admin /nowhere break;", "rewrite"],
  ["include /etc/nginx/deny.conf;", "include"],
  ["location ~ /\\. { deny all; }", "location"],
  ["proxy_set_header X-User $remote_user;", "proxy_set_header"],
  ['proxy_set_header X-Anything "";', "proxy_set_header"],
  ["more_clear_input_headers X-Forwarded-User;", "more_clear_input_headers"],
  ["valid_referers none blocked;", "valid_referers"],
  ["words without an end", "words"],
];

void test("a snippet that cannot protect anything is told from one that may", () => {
  for (const snippet of HARMLESS) equal(protectingDirective(snippet), undefined, snippet);
  for (const [snippet, directive] of PROTECTING) equal(protectingDirective(snippet), directive, snippet);
});
