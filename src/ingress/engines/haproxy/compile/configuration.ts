import { IN_THE_CLEAR } from "../../../filters/https-redirect.ts";
import type { Listener } from "../../../engine.ts";
import { CLIMB } from "../../../heads/climbs.ts";
import { READ_DIFFERENTLY } from "../../../heads/loose-path.ts";
import { BEHIND, type Compiled, type Declared } from "./compile.ts";
import { CERTIFICATES, EXACT, EXPRESSIONS, HOSTS, PREFIX, routeMap, TOKENS } from "./files.ts";
import { USUAL_PROFILES, type Profile } from "./profile.ts";
import { FLAGS, REDIRECTS, USUAL_READ, USUAL_REDIRECT, USUAL_TUNNEL, type RouteMap } from "./record.ts";
import type { ServerState } from "./servers.ts";

/** What a configuration is made of beside the routes. */
export interface Surroundings {
  readonly directory: string;
  /** In the order of their descriptors, from 3 on. */
  readonly listeners: readonly Listener[];
  /** CIDRs whose X-Forwarded-* are believed. */
  readonly trusted: readonly string[];
  /** Of this start: whatever it opens has a name of its own. */
  readonly generation: number;
  /** Threads; undefined: as many as there are cores. */
  readonly threads: number | undefined;
  /** The port of loopback where its log is read, and the word that each line begins with: others can send there too. Undefined: nobody reads one. */
  readonly log: { readonly port: number; readonly word: string } | undefined;
  /** Without a default certificate the names that are not known are turned away. */
  readonly hasDefaultCertificate: boolean;
}

export const WORKER_SOCKET = (generation: number): string => `w${generation}.sock`;
/** A variable of its environment: connections of clients that it has room for. */
export const CLIENTS = "FAIRLEAD_CLIENTS";
export const MASTER_SOCKET = "m.sock";
export const BEHIND_SOCKET = "b.sock";

/** Bytes of all headers of a request. */
const HEADERS = 32_768;
/** Room in a buffer for what we add. */
const ADDED = 4096;
/** In store of each profile: at least so many, and one for so many in use. */
const SPARE = 64;
const SPARE_OF_RARE = 8;
const IN_USE_FOR_ONE_SPARE = 8;

/** Places for backends to come, by profile. */
function spares(compiled: Compiled, generation: number): Map<string, Profile> {
  const uses = new Map<string, { profile: Profile; count: number }>();
  for (const profile of USUAL_PROFILES) uses.set(profile.name, { profile, count: 0 });
  for (const { profile } of compiled.slots.values()) {
    const use = uses.get(profile.name);
    if (use === undefined) uses.set(profile.name, { profile, count: 1 });
    else use.count += 1;
  }
  const found = new Map<string, Profile>();
  for (const { profile, count } of uses.values()) {
    const least = USUAL_PROFILES.some(({ name }) => name === profile.name) ? SPARE : SPARE_OF_RARE;
    const number = Math.max(least, Math.ceil(count / IN_USE_FOR_ONE_SPARE));
    for (let i = 0; i < number; i += 1) found.set(`s${generation}-${found.size + 1}`, profile);
  }
  return found;
}

/** What a server is known by in a configuration and in `add server` alike. A server that came by command has no store of idle connections unless told. */
export const serverWords = ({ address, port, weight, words }: ServerState): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port} weight ${weight} ${words} pool-purge-delay 5s pool-max-conn 1000`.replaceAll(
    "  ",
    " ",
  );

const has = (flag: string): string => `{ var(txn.f) -m sub .${flag}. }`;

/** One answer for every status that HAProxy itself can give. */
const ANSWERS: readonly (readonly [number, string])[] = [
  [400, "Bad Request"],
  [403, "Forbidden"],
  [405, "Method Not Allowed"],
  [408, "Request Timeout"],
  [413, "Content Too Large"],
  [500, "Internal Server Error"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
];

/** What a log line is; read back by `access-log.ts`. The target comes last, for it may have anything in it but a line's end. */
const LOG_FORMAT =
  '{\\"s\\":%Ts%ms,\\"h\\":%Th,\\"i\\":%Ti,\\"d\\":%Ta,\\"c\\":\\"%ci\\",\\"v\\":\\"%HV\\",\\"t\\":%[ssl_fc],\\"m\\":\\"%HM\\",\\"n\\":\\"%[var(txn.host),json(utf8s)]\\",\\"a\\":%ST,\\"e\\":\\"%ts\\",\\"u\\":%U,\\"b\\":%B,\\"x\\":\\"%[var(txn.length)]\\",\\"z\\":\\"%[var(txn.sent)]\\",\\"g\\":\\"%[capture.req.hdr(0),json(utf8s)]\\",\\"f\\":\\"%[capture.req.hdr(1),json(utf8s)]\\",\\"q\\":\\"%[var(txn.id),json(utf8s)]\\",\\"r\\":\\"%[var(txn.r),field(2,|)]\\",\\"k\\":\\"%b\\",\\"p\\":\\"%si:%sp\\",\\"w\\":%Tr,\\"y\\":\\"%rc\\"} %HU';

/**
 * Header lines that few requests have and that something is to be done about: bytes that no value may have (RFC 9110 §5.5), what is for the next hop
 * alone, what says who the client is, and lengths whose number HAProxy could not hold. One look at all lines costs less than one rule for each.
 */
const ODD_LINES =
  "(?im)[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]|^(?:x-forwarded-|x-request-id:|forwarded:|ssl-client-|proxy[:-]|keep-alive:|http2-settings:|trailer:|te:|transfer-encoding:|content-length: *[0-9]{16}|connection: *(?!(?:close|upgrade|keep-alive|keep-alive, upgrade)\\r?$))";
/** Begins the condition of each rule that is for such requests alone: all others pay for one look at a variable. */
const ODD = "{ var(txn.odd) -m found }";
const LISTED = "^(?:x-forwarded-.*|forwarded|ssl-client-.*|proxy|proxy-.*|keep-alive|http2-settings|trailer)$";

/** What the log alone needs. */
const logLines = ({ port, word }: { readonly port: number; readonly word: string }): string[] => [
  `  log 127.0.0.1:${port} len 16384 format raw local0`,
  `  log-format "${word} ${LOG_FORMAT}"`,
  "  declare capture request len 256",
  "  declare capture request len 512",
  "  http-request set-var(txn.length) req.hdr(content-length)",
  "  http-request capture req.hdr(user-agent) id 0",
  "  http-request capture req.hdr(referer) id 1",
  "  http-response set-var(txn.sent) res.hdr(content-length)",
];

function frontend(
  { listeners, trusted, hasDefaultCertificate, log }: Surroundings,
  cookies: readonly string[],
): string[] {
  const route = "var(txn.r),field(2,|)";
  const value = (map: RouteMap): string => `${route},map_str(${routeMap(map)})`;
  const isFront = "{ var(txn.front) -m found }";
  const isNowhere = "!{ var(txn.at) -m found }";
  const hasNoRoute = "!{ var(txn.r) -m found }";
  return [
    "frontend in",
    ...listeners.map(
      ({ tls, proxyProtocol }, at) =>
        `  bind fd@${at + 3}${proxyProtocol ? " accept-proxy" : ""}${
          tls
            ? ` ssl crt-list ${CERTIFICATES} alpn h2,http/1.1 ssl-min-ver TLSv1.2${hasDefaultCertificate ? "" : " strict-sni"}`
            : ""
        }`,
    ),
    ...(log === undefined ? [] : logLines(log)),
    // Not secret, as no two are the same: a number that is cheap.
    `  unique-id-format ${"%[rand,htonl,hex,lower]".repeat(4)}`,
    `  http-request set-var(txn.odd) bool(true) if { req.hdrs -m reg '${ODD_LINES}' } || !{ method GET HEAD POST PUT DELETE OPTIONS PATCH } || { path -m sub % // /. .. } || { fc_http_major 1 } !{ req.ver 1.1 } || { req.hdr_cnt(host) gt 1 } || { fc_http_major 1 } !{ url -m beg / }`,
    // What cannot be understood.
    `  http-request deny deny_status 400 if ${ODD} { req.hdr_cnt(host) gt 1 }`,
    "  http-request deny deny_status 400 if !{ req.hdr(host) -m found } !{ req.ver 1.0 }",
    // A target in absolute form is for proxies, which endpoints are not.
    `  http-request set-uri %[pathq] if ${ODD} { url -m beg -i http:// https:// } !{ req.ver 2.0 }`,
    // TRACE shows a client what was added for the backend; CONNECT asks for a proxy that we are not.
    `  http-request deny deny_status 405 if ${ODD} { method TRACE CONNECT }`,
    "  http-request set-var(txn.host) req.hdr(host),host_only,lower",
    "  http-request set-var(txn.path) path",
    // What HAProxy takes, and a server behind it could read in another way.
    `  http-request deny deny_status 400 if ${ODD} { fc_http_major 1 } !{ req.ver 1.0 1.1 }`,
    `  http-request deny deny_status 400 if ${ODD} { req.ver 1.0 } { req.hdr(transfer-encoding) -m found }`,
    // Beyond 64 bits it counts from 0 again, so what follows is not to be read.
    `  http-request reject if ${ODD} { req.hdr(content-length) -m len 16:64 }`,
    // RFC 9110 §5.5.
    `  http-request deny deny_status 400 if ${ODD} { req.hdrs -m reg '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]' }`,
    `  http-request deny deny_status 400 if ${ODD} !{ method -m reg ^[A-Z][A-Z0-9-]{0,31}$ }`,
    `  http-request deny deny_status 400 if ${ODD} { var(txn.path) -m sub .. % } { var(txn.path) -m reg -i '${CLIMB}' }`,
    // Host: exact, else one label less with a star, else any. The most specific one decides alone.
    `  http-request set-var(txn.at) var(txn.host),map_str(${HOSTS})`,
    `  http-request set-var(txn.host) var(txn.host),regsub(\\.$,) if ${isNowhere} { var(txn.host) -m end . }`,
    `  http-request deny deny_status 400 if ${isNowhere} { var(txn.host) -m found } !{ var(txn.host) -m reg '^([a-z0-9_]([a-z0-9._-]*[a-z0-9_-])?|\\[?[0-9a-f:.]+\\]?)$' }`,
    `  http-request set-var(txn.at) var(txn.host),map_str(${HOSTS}) if ${isNowhere}`,
    `  http-request set-var(txn.at) var(txn.host),regsub(^[^.]*,*),map_str(${HOSTS}) if ${isNowhere} { var(txn.host) -m sub . }`,
    `  http-request set-var(txn.at) str(*),map_str(${HOSTS}) if ${isNowhere}`,
    // A path that is not in the one spelling by which routes are found (canonical-path.ts) is understood by the engine behind.
    `  http-request set-var(txn.r) str(${BEHIND}||) if ${ODD} { var(txn.path) -m sub % // /. }`,
    // Where a route keeps somebody out, spellings that lead elsewhere than they seem to are for the engine behind to read.
    `  http-request set-var(txn.r) str(${BEHIND}||) if { var(txn.at) -m beg ! ~! } { var(txn.path) -m reg '${READ_DIFFERENTLY.source}' }`,
    // Where a pod breaks off, HAProxy says REFUSED_STREAM, by which a client knows that nothing was done (RFC 9113 §8.7) and asks again.
    // Not so gRPC: the engine behind is spoken to by HTTP/1, which has no room for it.
    `  http-request set-var(txn.r) str(${BEHIND}||) if { fc_http_major 2 } !{ method GET HEAD OPTIONS PUT DELETE } !{ req.hdr(content-type) -m beg application/grpc }`,
    // Path: the answer already, expressions in order, equal, or the longest in whole elements.
    `  http-request set-var(txn.r) var(txn.at),bytes(1) if ${hasNoRoute} { var(txn.at) -m beg = }`,
    `  http-request set-var(txn.r) var(txn.at),concat(,txn.path),map_reg(${EXPRESSIONS}) if ${hasNoRoute} { var(txn.at) -m beg ~ }`,
    `  http-request set-var(txn.r) var(txn.at),concat(,txn.path),map_str(${EXACT}) if ${hasNoRoute}`,
    `  http-request set-var(txn.r) var(txn.at),concat(,txn.path,/),map_beg(${PREFIX}) if ${hasNoRoute}`,
    `  http-request return status 404 content-type text/plain string "404 Not Found\\n" if ${hasNoRoute}`,
    // Headers that Connection names end here; which, only the engine behind finds out.
    `  http-request set-var(txn.r) str(${BEHIND}||) if ${ODD} { req.hdr(connection) -m found } !{ req.fhdr(connection) -i close keep-alive upgrade "keep-alive, upgrade" }`,
    "  http-request set-var(txn.f) var(txn.r),field(3,|)",
    `  http-request set-var(txn.front) bool(true) if ${has(FLAGS.front)}`,
    // How long a body is that does not say so, and which of several cookies of one name is a session, and what one in quotes says, only the engine behind finds out.
    `  http-request set-var(txn.r) str(${BEHIND}||) if ${isFront} ${has(FLAGS.body)} !{ req.hdr(content-length) -m found } !{ method GET HEAD OPTIONS } || ${isFront} ${has(FLAGS.body)} { req.hdr(transfer-encoding) -m found }`,
    ...cookies.flatMap((name, at) => [
      `  http-request set-var(txn.cookie) req.cook(${name}) if ${has(`${FLAGS.affinity}${at}`)}`,
      `  http-request set-var(txn.r) str(${BEHIND}||) if { var(txn.cookie) -m found } ${has(`${FLAGS.affinity}${at}`)} { req.cook_cnt(${name}) gt 1 } || { var(txn.cookie) -m beg '"' }`,
    ]),
    ...(trusted.length > 0 ? trustedRules(trusted) : []),
    // What the engine behind does it does by what came, of which nothing is changed here.
    `  http-request allow if { var(txn.r) -m beg ${BEHIND}| }`,
    ...REDIRECTS.map(
      (code) =>
        `  http-request redirect location https://%[var(txn.host)]%[pathq] code ${code} if ${code === USUAL_REDIRECT ? "" : `${isFront} `}!{ ssl_fc } ${has(`${FLAGS.httpsRedirect}${code}`)} !{ var(txn.path) -m beg ${IN_THE_CLEAR} }`,
    ),
    ...(log === undefined ? [] : [`  http-request set-log-level silent if ${isFront} ${has(FLAGS.silent)}`]),
    `  http-request return status 503 content-type text/plain string "503 Service Unavailable\\n" if ${isFront} ${has(FLAGS.refused)}`,
    `  http-request redirect location %[${value("root")}] code 302 if ${isFront} ${has(FLAGS.root)} { var(txn.path) -m str / }`,
    `  http-request set-var(txn.body) ${route},map_str_int(${routeMap("body")}) if ${isFront} ${has(FLAGS.body)}`,
    `  http-request deny deny_status 413 if ${isFront} ${has(FLAGS.body)} { req.hdr_val(content-length),sub(txn.body) gt 0 }`,
    ...TELLING,
    "  use_backend %[var(txn.r),field(1,|)]",
  ];
}

const SCHEME = "%[ssl_fc,iif(https,http)]";

/** Headers that say who asks and how, for backends. Nobody may speak for another: what is said of it is replaced. */
const TELLING = [
  `  http-request set-header X-Original-Forwarded-For %[req.hdr(x-forwarded-for)] if ${ODD} { req.hdr(x-forwarded-for) -m found }`,
  `  http-request del-header '${LISTED}' -m reg if ${ODD}`,
  `  http-request set-header TE trailers if ${ODD} { req.hdr(te) -m found }`,
  "  http-request set-header X-Forwarded-For %ci",
  "  http-request set-header X-Forwarded-Host %[req.hdr(host)]",
  "  http-request set-header X-Forwarded-Port %fp",
  "  http-request set-header X-Real-IP %ci",
  `  http-request set-header X-Forwarded-Proto ${SCHEME}`,
  `  http-request set-header X-Forwarded-Scheme ${SCHEME}`,
  `  http-request set-header X-Scheme ${SCHEME}`,
  `  http-request set-var(txn.id) req.hdr(x-request-id) if ${ODD} { req.hdr(x-request-id) -m reg ^[!-~]{1,128}$ }`,
  "  http-request set-var(txn.id) unique-id if !{ var(txn.id) -m found }",
  "  http-request set-header X-Request-ID %[var(txn.id)]",
  "  http-response set-var(txn.answered) bool(true) if { status 503 }",
  "  http-response del-header '^(?:x-accel-.*|keep-alive|proxy-.*)$' -m reg",
  // What it says when there is nobody to ask, and when whoever was asked could not be reached, is the same; clients are told apart.
  "  http-after-response set-status 502 if { status 503 } !{ var(txn.answered) -m bool } { srv_name -m found }",
  "  http-after-response set-header X-Request-ID %[var(txn.id)] if { var(txn.id) -m found } !{ res.hdr(x-request-id) -m found }",
];

/** Some may. What they say is read by the engine behind. */
function trustedRules(trusted: readonly string[]): string[] {
  const isTrusted = `${ODD} { src ${trusted.join(" ")} }`;
  return ["x-forwarded-host", "x-forwarded-port", "x-forwarded-for", "x-forwarded-proto", "forwarded"].map(
    (name) => `  http-request set-var(txn.r) str(${BEHIND}||) if ${isTrusted} { req.hdr(${name}) -m found }`,
  );
}

/** What a backend with sessions, deadlines and headers does; by flags, so that the same section serves any route. */
function richRules(name: string): string[] {
  const route = "var(txn.r),field(2,|)";
  const value = (map: RouteMap): string => `${route},map_str(${routeMap(map)})`;
  const number = (map: RouteMap): string => `${route},map_str_int(${routeMap(map)})`;
  const isAffine = "{ var(txn.f) -m sub .a }";
  const isMore = has(FLAGS.more);
  const hasServer = "{ var(txn.server) -m found }";
  const isServer = "{ srv_name,strcmp(txn.server) eq 0 }";
  return [
    `  http-request set-var(txn.server) str(${name}/),concat(,txn.cookie),map_str(${TOKENS}) if { var(txn.cookie) -m found } ${isAffine}`,
    `  http-request set-timeout server ${number("read")} if ${isMore} ${has(FLAGS.read)}`,
    `  http-request set-timeout tunnel ${number("tunnel")} if ${isMore} ${has(FLAGS.tunnel)}`,
    `  http-request set-header X-Forwarded-Prefix %[${value("prefix")}] if ${isMore} ${has(FLAGS.prefix)}`,
    `  http-request set-header Host %[${value("host")}] if ${isMore} ${has(FLAGS.host)}`,
    `  use-server %[var(txn.server)] if ${hasServer}`,
    // A client is told where its session is when it had none, when what it has was made with a former key, and after a failure where that is asked for.
    `  http-response allow if ${hasServer} ${isServer} { var(txn.cookie),strcmp(txn.server) eq 0 } || !${isAffine}`,
    `  http-response allow if ${hasServer} !${isServer} !${has(FLAGS.changeOnFailure)}`,
    `  http-response set-var(txn.attributes) ${value("attributes")} if !{ ssl_fc }`,
    `  http-response set-var(txn.attributes) ${value("attributes-tls")} if { ssl_fc }`,
    `  http-response set-var(txn.expires) ${number("expires")} if ${has(FLAGS.expires)}`,
    `  http-response set-var-fmt(txn.attributes) "; Expires=%[date,add(txn.expires),http_date]%[var(txn.attributes)]" if ${has(FLAGS.expires)}`,
    `  http-response add-header Set-Cookie "%[${value("cookie")}]=%[srv_name]%[var(txn.attributes)]"`,
  ];
}

function backend(name: string, profile: Profile, servers: ReadonlyMap<string, ServerState> | undefined): string[] {
  return [
    `backend ${name}`,
    ...profile.lines.map((line) => `  ${line}`),
    ...(profile.rich ? richRules(name) : []),
    ...[...(servers ?? [])].map(([server, state]) => `  server ${server} ${serverWords(state)}`),
  ];
}

/** The configuration for a start, and what is in it. Pure. */
export function configuration(compiled: Compiled, around: Surroundings): { text: string; declared: Declared } {
  const { directory, generation, threads } = around;
  const lines = [
    "global",
    `  stats socket unix@${directory}/${WORKER_SOCKET(generation)} mode 600 level admin`,
    "  stats timeout 1d",
    `  maxconn "\${${CLIENTS}}"`,
    "  no strict-limits",
    ...(threads === undefined ? [] : [`  nbthread ${threads}`]),
    // A worker that was replaced stays for its tunnels: this long, and through so many others.
    "  hard-stop-after 24h",
    "  mworker-max-reloads 20",
    `  tune.bufsize ${HEADERS + ADDED}`,
    `  tune.maxrewrite ${ADDED}`,
    "  tune.ssl.default-dh-param 2048",
    "  ssl-default-bind-options ssl-min-ver TLSv1.2",
    `  default-path origin ${directory}`,
    `  crt-base ${directory}`,
    "defaults",
    "  mode http",
    "  timeout connect 5s",
    "  timeout client 60s",
    `  timeout server ${USUAL_READ}ms`,
    `  timeout tunnel ${USUAL_TUNNEL}ms`,
    "  timeout http-request 30s",
    "  timeout http-keep-alive 75s",
    "  timeout client-fin 5s",
    "  timeout queue 5s",
    "  option http-keep-alive",
    // Whoever is about to ask on a connection that is idle is answered, and told that it was the last time, instead of being cut off.
    "  option idle-close-on-response",
    "  option http-restrict-req-hdr-names delete",
    "  option redispatch 1",
    // Nobody works for a client that has gone.
    "  option abortonclose",
    "  http-reuse safe",
    ...ANSWERS.map(
      ([status, words]) => `  http-error status ${status} content-type text/plain string "${status} ${words}\\n"`,
    ),
    ...frontend(around, compiled.cookies),
    `backend ${BEHIND}`,
    "  http-request set-log-level silent",
    "  timeout server 1h",
    "  retries 2",
    `  server builtin unix@${directory}/${BEHIND_SOCKET} send-proxy-v2 proxy-v2-options ssl,authority`,
  ];
  const slots = new Map<string, Profile>();
  for (const { name, profile, servers } of compiled.slots.values()) {
    slots.set(name, profile);
    lines.push(...backend(name, profile, servers));
  }
  for (const [name, profile] of spares(compiled, generation)) {
    slots.set(name, profile);
    lines.push(...backend(name, profile, undefined));
  }
  return { text: `${lines.join("\n")}\n`, declared: { slots, cookies: compiled.cookies } };
}
