import { equal, match } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startDoor } from "../../src/cli/ingress/door.ts";
import { systemHost } from "../../src/host/processes.ts";
import { silentLog } from "../../src/observe/log.ts";
import { controllerWorld } from "./controller-world.ts";
import { ask, handshake } from "./lab/clients.ts";
import { CONTROLLER, ingress, rule, service, tlsSecret } from "./plan-examples.ts";

test("figures of a door tell its Ingresses, their faults, when certificates end, and connections", async (t) => {
  const world = await controllerWorld(t);
  const tls = [{ hosts: ["a.example"], secretName: "a-tls" }];
  await world.put(service(), await tlsSecret("a-tls", "a.example"), ingress({ rules: [rule("a.example", "/")], tls }));
  await world.put(ingress({ rules: [rule("b.example", "/ absent:80")] }, { name: "b" }));
  const directory = mkdtempSync(join(tmpdir(), "door-"));
  const listener = { address: "127.0.0.1", port: 0, proxyProtocol: false };
  const door = await startDoor({
    client: world.client,
    host: systemHost(),
    log: silentLog,
    wish: "builtin",
    listeners: [
      { ...listener, tls: false },
      { ...listener, tls: true },
    ],
    trust: { from: [] },
    requests: undefined,
    directory,
    controller: CONTROLLER,
    withoutClass: false,
    namespace: undefined,
    exposure: undefined,
    defaultBackend: undefined,
    defaultCertificate: undefined,
    identity: "door",
  });
  t.after(async () => {
    await door.stop(0);
    rmSync(directory, { recursive: true });
  });
  await door.controller.ready;
  const [plain, secure] = door.listening();
  equal((await ask({ port: plain!.port, tls: false, address: "127.0.0.1" }, { host: "b.example" })).status, 503);
  await handshake({ port: secure!.port, tls: true, address: "127.0.0.1" }, { servername: "a.example" });

  const text = await door.figures.text();
  match(text, /^fairlead_ingress_ingresses 2$/m);
  match(text, /^fairlead_ingress_faults 1$/m);
  match(text, /^fairlead_ingress_view_age_seconds \d/m);
  match(text, /^fairlead_ingress_apply_failures_total 0$/m);
  const ends =
    /^nginx_ingress_controller_ssl_expire_time_seconds\{host="a.example",namespace="default",secret_name="a-tls"\} (\d+)/m;
  equal(Math.round((Number(ends.exec(text)?.[1]) * 1000 - Date.now()) / 86_400_000), 365);
  match(text, /^nginx_ingress_controller_nginx_process_connections_total\{state="accepted"\} 2$/m);
  match(text, /^nginx_ingress_controller_nginx_process_connections\{state="active"\} \d+$/m);
});
