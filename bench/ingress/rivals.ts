/** Other people's HTTP proxies with the same hosts and endpoints, each kept to one processor by whoever asks. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { startProgram, type Contender } from "../contender.ts";
import { freePort } from "../free-port.ts";
import { programs } from "../programs.ts";
import { askedHost, BODY, ENDPOINTS, hosts, type Files } from "./site.ts";

/** A server of HTTP at `port` and of HTTP/2 over TLS at `tlsPort`; undefined: it has no such thing. */
export interface Proxy extends Contender {
  readonly tlsPort: number | undefined;
}

/** Whether 127.0.0.1 answers 200 for a host. */
export const serves = (port: number, host: string) => (): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, path: "/", headers: { host }, agent: false, timeout: 1000 });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => setTimeout(() => resolve(false), 20));
    asked.end();
  });

const ended = (contender: Contender | undefined, tlsPort: number | undefined): Proxy | undefined =>
  contender === undefined ? undefined : { ...contender, tlsPort };

/** What is behind all of them: nginx, which answers from memory. */
export async function startEndpoints({ folder }: Files): Promise<Contender | undefined> {
  const servers = ENDPOINTS.map(
    (port) =>
      `server { listen 127.0.0.1:${port} backlog=4096 reuseport; location / { return 200 "${"x".repeat(BODY)}"; } }`,
  );
  const path = join(folder, "endpoints.conf");
  writeFileSync(
    path,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/endpoints.pid; error_log stderr crit;
     events { worker_connections 8192; }
     http { access_log off; keepalive_requests 100000000; default_type text/plain; ${temporary(folder)} ${servers.join("\n")} }\n`,
  );
  return startProgram({
    name: "endpoints",
    program: programs.nginx,
    args: ["-c", path],
    port: ENDPOINTS[0],
    isServing: serves(ENDPOINTS[0], "a"),
  });
}

const temporary = (folder: string): string =>
  ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${folder}/${what};`).join(" ");

/** HAProxy with a configuration as one would write it by hand: a map of hosts, and session cookies of its own. */
export async function startHaproxy(files: Files, routes: number): Promise<Proxy | undefined> {
  const [port, tlsPort] = [freePort(), freePort()];
  const map = join(files.folder, `haproxy-${routes}.map`);
  writeFileSync(
    map,
    hosts(routes)
      .map((host) => `${host} b\n`)
      .join(""),
  );
  const path = join(files.folder, `haproxy-${routes}.cfg`);
  const servers = ENDPOINTS.map((one, at) => `  server s${at} 127.0.0.1:${one} cookie s${at}`);
  writeFileSync(
    path,
    `global
  maxconn 8000
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
frontend f
  bind 127.0.0.1:${port} backlog 4096
  bind 127.0.0.1:${tlsPort} ssl crt ${files.both} alpn h2,http/1.1
  use_backend %[req.hdr(host),lower,field(1,:),map_str(${map},none)]
backend b
  balance roundrobin
  cookie S insert indirect nocache
${servers.join("\n")}
backend none
  http-request return status 404
`,
  );
  return ended(
    await startProgram({
      name: "HAProxy, bare",
      program: programs.haproxy,
      args: ["-db", "-f", path],
      port,
      isServing: serves(port, askedHost(routes)),
    }),
    tlsPort,
  );
}

/** nginx with a server for each host; open source nginx has no session cookies. */
export async function startNginx(files: Files, routes: number): Promise<Proxy | undefined> {
  const [port, tlsPort] = [freePort(), freePort()];
  const path = join(files.folder, `nginx-${routes}.conf`);
  const proxied =
    "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host; proxy_pass http://b;";
  const servers = hosts(routes).map(
    (host) =>
      `server { listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl http2; server_name ${host}; location / { ${proxied} } }`,
  );
  writeFileSync(
    path,
    `daemon off; master_process off; worker_processes 1; pid ${files.folder}/nginx-${routes}.pid; error_log stderr crit;
     events { worker_connections 8192; }
     http { access_log off; keepalive_requests 100000000; server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
       http2_max_requests 100000000; ${temporary(files.folder)}
       ssl_certificate ${files.certificate}; ssl_certificate_key ${files.key};
       upstream b { ${ENDPOINTS.map((one) => `server 127.0.0.1:${one};`).join(" ")} keepalive 128; keepalive_requests 100000000; }
       ${servers.join("\n")} }\n`.replace("http2_max_requests 100000000; ", ""),
  );
  return ended(
    await startProgram({
      name: "nginx",
      program: programs.nginx,
      args: ["-c", path],
      port,
      isServing: serves(port, askedHost(routes)),
    }),
    tlsPort,
  );
}

/** The proxy of Node that most use, with a table of hosts before it. It takes no HTTP/2. */
export async function startHttpProxy(routes: number): Promise<Proxy | undefined> {
  const port = freePort();
  return ended(
    await startProgram({
      name: "http-proxy-3",
      program: process.execPath,
      args: [join(import.meta.dirname, "http-proxy-3.ts"), `${port}`, `${routes}`],
      port,
      isServing: serves(port, askedHost(routes)),
    }),
    undefined,
  );
}

/** Servers that answer their names, each at a port of 10.0.0.1, which endpoints may have. */
export async function startAnswering(
  folder: string,
  names: readonly string[],
): Promise<{ readonly contender: Contender; readonly ports: Readonly<Record<string, number>> } | undefined> {
  execFileSync("ip", ["addr", "replace", "10.0.0.1/32", "dev", "lo"]);
  const ports = Object.fromEntries(names.map((name) => [name, freePort()]));
  const path = join(folder, "answering.conf");
  const servers = names.map(
    (name) =>
      `server { listen 10.0.0.1:${ports[name]}; listen 127.0.0.1:${ports[name]}; location / { return 200 "${name}"; } }`,
  );
  writeFileSync(
    path,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/answering.pid; error_log stderr crit;
     events { worker_connections 8192; }
     http { access_log off; keepalive_requests 100000000; ${temporary(folder)} ${servers.join("\n")} }\n`,
  );
  const [port] = Object.values(ports);
  const contender = await startProgram({
    name: "endpoints",
    program: programs.nginx,
    args: ["-c", path],
    port: port!,
    isServing: serves(port!, "a"),
  });
  return contender === undefined ? undefined : { contender, ports };
}

/** nginx to which hosts can be added: each time it reads its configuration again, with a new worker. */
export async function changedNginx(
  { folder }: Files,
  routes: number,
  endpoint: number,
): Promise<{ readonly contender: Contender; add(host: string): void } | undefined> {
  const port = freePort();
  const path = join(folder, `changed-${routes}.conf`);
  const pid = join(folder, `changed-${routes}.pid`);
  const all = hosts(routes);
  const serverOf = (host: string): string =>
    `server { listen 127.0.0.1:${port}; server_name ${host}; location / { proxy_pass http://127.0.0.1:${endpoint}; } }\n`;
  let servers = all.map(serverOf).join("");
  const write = (): void =>
    writeFileSync(
      path,
      `daemon off; master_process on; user root; worker_processes 1; pid ${pid}; error_log stderr crit;
       events { worker_connections 8192; }
       http { access_log off; server_names_hash_max_size 65536; server_names_hash_bucket_size 128; ${temporary(folder)}
         server { listen 127.0.0.1:${port} default_server; return 404; }
         ${servers} }\n`,
    );
  write();
  const contender = await startProgram({
    name: "nginx",
    program: programs.nginx,
    args: ["-c", path],
    port,
    isServing: serves(port, askedHost(routes)),
  });
  if (contender === undefined) return undefined;
  return {
    contender,
    add(host) {
      servers += serverOf(host);
      write();
      process.kill(Number(readFileSync(pid, "utf8")), "SIGHUP");
    },
  };
}
