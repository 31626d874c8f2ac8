import { match, doesNotMatch } from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../observe/log.ts";
import { createIngressFigures } from "./figures.ts";

const made = () => createIngressFigures({ version: "1", engine: "builtin", log: silentLog });

test("when certificates end is told by host and Secret", async () => {
  const figures = made();
  const pem = { chain: "", key: "" };
  figures.watchCertificates(
    () =>
      new Map([
        ["a.example", { ...pem, secret: "default/a-tls", notAfter: 1_800_000_000_000 }],
        ["", { ...pem, secret: "", notAfter: 1_900_000_000_500 }],
        ["b.example", { ...pem, secret: "default/b-tls" }],
      ]),
  );
  const text = await figures.text();
  const name = "nginx_ingress_controller_ssl_expire_time_seconds";
  match(text, new RegExp(`^${name}{host="a.example",namespace="default",secret_name="a-tls"} 1800000000$`, "m"));
  match(text, new RegExp(`^${name}{host="_",namespace="",secret_name=""} 1900000000.5$`, "m"));
  doesNotMatch(text, /b\.example/);
});

test("connections are told as ingress-nginx tells them, where the engine counts them", async () => {
  const figures = made();
  doesNotMatch(await figures.text(), /connections(?:_total)?\{/);
  figures.watchConnections(() => ({ open: 3, taken: 14, handshakesFailed: 2, refused: 4, stalled: 1 }));
  const text = await figures.text();
  match(text, /^nginx_ingress_controller_nginx_process_connections\{state="active"\} 3$/m);
  match(text, /^nginx_ingress_controller_nginx_process_connections_total\{state="accepted"\} 14$/m);
  match(text, /^fairlead_ingress_handshakes_failed_total 2$/m);
  match(text, /^fairlead_ingress_refused_total 4$/m);
  match(text, /^fairlead_ingress_stalled_total 1$/m);
});
