import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { kubectlHome, kubectlRunner, type KubectlRunner } from "../lab/kubectl-runner.ts";
import { kubectls } from "../lab/kubectls.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

/*
 * What somebody does of an evening with a Service, by every kubectl that can be had. The columns and cells are those of the ledger's section 17; the
 * words of kubectl itself ("created", "configured", "unchanged", "serverside-applied", "patched", …) are its own.
 */

let subject: Subject;
let home: ReturnType<typeof kubectlHome>;
before(async () => {
  subject = await startSubject({ controllers: true });
  home = kubectlHome({ port: subject.port, ca: subject.ca, pair: subject.admin });
});
after(async () => {
  await subject.close();
  home.remove();
});

const web = (more = "", port = 443): string => `
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: more, port: ${port}${more}}]
`;

/** The cells of one row of a table, by its column names. */
function rowOf(table: string, name: string): Record<string, string> {
  const [head = "", ...lines] = table.trimEnd().split("\n");
  const starts = [...head.matchAll(/\S+(?: \S+)*/g)].map(({ index, 0: text }) => [index, text] as const);
  const line = lines.find((each) => each.startsWith(`${name} `));
  assert.ok(line !== undefined, `no row ${name} in:\n${table}`);
  return Object.fromEntries(
    starts.map(([start, text], index) => [text, line.slice(start, starts[index + 1]?.[0]).trim()]),
  );
}

const found = kubectls();
for (const { path, version, minor } of found) {
  const namespace = `evening-${minor}`;
  let kubectl: KubectlRunner;
  const evening = (name: string, least: number, run: () => Promise<void>): void =>
    void test(
      `kubectl ${version}: ${name}`,
      { skip: minor < least ? `kubectl has it from 1.${least} on` : false },
      run,
    );

  evening("create from a file, typos refused, dry run on the server", 0, async () => {
    kubectl = kubectlRunner(path, home.folder, namespace);
    await kubectl.works(["create", "namespace", namespace]);
    assert.match(await kubectl.fails(["create", "-f", "-"], { input: web(", targtPort: 1") }), /targtPort/);
    assert.match(
      await kubectl.works(["create", "-f", "-", "--dry-run=server"], { input: web() }),
      /service\/web created \(server dry run\)/,
    );
    assert.match(await kubectl.fails(["get", "service", "web"]), /NotFound/);
    assert.match(await kubectl.works(["create", "-f", "-"], { input: web() }), /service\/web created/);
    assert.match(await kubectl.fails(["create", "-f", "-"], { input: web() }), /AlreadyExists/);
  });

  evening("create service of four types; SVC-309, SVC-327, SVC-330, SVC-331 in the table", 0, async () => {
    await kubectl.works(["create", "service", "clusterip", "cip", "--tcp=80:8080"]);
    await kubectl.works(["create", "service", "clusterip", "headless", "--clusterip=None"]);
    await kubectl.works(["create", "service", "nodeport", "np", "--tcp=80:8080"]);
    await kubectl.works(["create", "service", "loadbalancer", "lb", "--tcp=80:8080"]);
    await kubectl.works(["create", "service", "externalname", "en", "--external-name=example.com"]);
    const table = await kubectl.works(["get", "services", "-o", "wide"]);
    assert.match(table, /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\n/);
    assert.doesNotMatch(await kubectl.works(["get", "services"]), /SELECTOR/);
    const row = (name: string): Record<string, string> => rowOf(table, name);
    assert.equal(row("cip")["TYPE"], "ClusterIP");
    assert.match(row("cip")["CLUSTER-IP"] ?? "", /^10\.96\.\d+\.\d+$/);
    assert.equal(row("cip")["EXTERNAL-IP"], "<none>");
    assert.equal(row("web")["PORT(S)"], "80/TCP,443/TCP");
    assert.equal(row("cip")["SELECTOR"], "app=cip");
    assert.equal(row("headless")["CLUSTER-IP"], "None");
    assert.equal(row("headless")["PORT(S)"], "<none>");
    assert.match(row("np")["PORT(S)"] ?? "", /^80:3\d{4}\/TCP$/);
    assert.equal(row("lb")["EXTERNAL-IP"], "<pending>");
    assert.equal(row("en")["TYPE"], "ExternalName");
    assert.equal(row("en")["CLUSTER-IP"], "<none>");
    assert.equal(row("en")["EXTERNAL-IP"], "example.com");
  });

  evening("expose", 0, async () => {
    const exposed = await kubectl.works([
      "expose",
      "service",
      "web",
      "--name=exposed",
      "--port=90",
      "--target-port=http",
    ]);
    assert.match(exposed, /service\/exposed exposed/);
    const ports = await kubectl.works(["get", "service", "exposed", "-o", "jsonpath={.spec.ports[0]}{.spec.selector}"]);
    assert.match(ports, /"port":90/);
    assert.match(ports, /"targetPort":"http"/);
    assert.match(ports, /"app":"web"/);
  });

  evening("apply from the client: configured, unchanged, and a field given up goes", 0, async () => {
    await kubectl.works(["delete", "service", "web"]);
    const apply = (input: string) => kubectl.works(["apply", "-f", "-"], { input });
    assert.match(await apply(web()), /service\/web created/);
    assert.match(await apply(web()), /service\/web unchanged/);
    assert.match(await apply(web(", targetPort: 9")), /service\/web configured/);
    assert.match(await apply(web()), /service\/web configured/);
    const target = await kubectl.works(["get", "service", "web", "-o", "jsonpath={.spec.ports[1].targetPort}"]);
    assert.equal(target, "443", "the target port that nobody gives any more is the default again");
  });

  evening("diff tells what apply would change, and by its exit code whether anything would", 0, async () => {
    assert.equal((await kubectl.run(["diff", "-f", "-"], { input: web() })).code, 0);
    const { code, text } = await kubectl.run(["diff", "-f", "-"], { input: web("", 444) });
    assert.equal(code, 1, text);
    assert.match(text, /^-.*port: 443/m);
    assert.match(text, /^\+.*port: 444/m);
  });

  evening("apply on the server: fields have owners, conflicts name them, force takes over", 0, async () => {
    const apply = (manager: string, port: number, ...more: string[]) =>
      kubectl.run(["apply", "--server-side", `--field-manager=${manager}`, "-f", "-", ...more], {
        input: web(`, appProtocol: "example.com/${port}"`),
      });
    await kubectl.works(["delete", "service", "web"]);
    const first = await apply("one", 1);
    assert.match(first.text, /service\/web serverside-applied/);
    const second = await apply("two", 2);
    assert.notEqual(second.code, 0);
    assert.match(second.text, /conflict with "one"/);
    assert.match(second.text, /\.spec\.ports\[port=443,protocol="TCP"\]\.appProtocol/);
    const third = await apply("two", 2, "--force-conflicts");
    assert.match(third.text, /service\/web serverside-applied/);
    const json = await kubectl.works([
      "get",
      "service",
      "web",
      "-o",
      "json",
      ...(minor >= 21 ? ["--show-managed-fields"] : []),
    ]);
    const { metadata } = JSON.parse(json) as { metadata: { managedFields: { manager: string; operation: string }[] } };
    assert.deepEqual(metadata.managedFields.map(({ manager, operation }) => `${operation} ${manager}`).sort(), [
      "Apply one",
      "Apply two",
    ]);
  });

  evening("edit", 0, async () => {
    await kubectl.works(["edit", "service", "web"], { env: { EDITOR: "sed -i s/8080/8081/" } });
    assert.equal(await kubectl.works(["get", "service", "web", "-o", "jsonpath={.spec.ports[0].targetPort}"]), "8081");
  });

  evening("patch of three kinds", 0, async () => {
    const patch = (type: string, text: object) =>
      kubectl.works(["patch", "service", "web", `--type=${type}`, "-p", JSON.stringify(text)]);
    await patch("strategic", { spec: { ports: [{ port: 80, targetPort: 1 }] } });
    await patch("merge", { spec: { sessionAffinity: "ClientIP" } });
    await patch("json", [{ op: "replace", path: "/spec/ports/1/name", value: "patched" }]);
    const json = await kubectl.works(["get", "service", "web", "-o", "json"]);
    const { spec } = JSON.parse(json) as {
      spec: { sessionAffinity: string; ports: { targetPort: unknown; name: string }[] };
    };
    assert.equal(spec.sessionAffinity, "ClientIP");
    assert.deepEqual(
      spec.ports.map(({ name, targetPort }) => [name, targetPort]),
      [
        ["http", 1],
        ["patched", 443],
      ],
    );
  });

  evening("label, annotate, set selector, and selecting by them", 0, async () => {
    assert.match(await kubectl.works(["label", "service", "web", "tier=front"]), /service\/web labeled/);
    assert.match(await kubectl.fails(["label", "service", "web", "tier=back"]), /overwrite/);
    await kubectl.works(["label", "service", "web", "tier=back", "--overwrite"]);
    assert.match(await kubectl.works(["annotate", "service", "web", "note=x"]), /service\/web annotated?/);
    assert.match(
      await kubectl.works(["set", "selector", "service", "web", "app=other"]),
      /service\/web selector updated/,
    );
    const names = (...args: string[]) => kubectl.works(["get", "services", "-o", "name", ...args]);
    assert.equal(await names("-l", "tier in (back)"), "service/web\n");
    assert.equal(await names("--field-selector", "spec.clusterIP=None"), "service/headless\n");
    const table = await kubectl.works(["get", "services", "-o", "wide", "--show-labels"]);
    assert.equal(rowOf(table, "web")["SELECTOR"], "app=other");
    assert.match(rowOf(table, "web")["LABELS"] ?? "", /tier=back/);
    await kubectl.works(["label", "service", "web", "tier-"]);
    assert.equal(await names("-l", "tier"), "");
  });

  evening("replace", 0, async () => {
    const text = await kubectl.works(["get", "service", "web", "-o", "json"]);
    const object = JSON.parse(text) as { metadata: { resourceVersion: string }; spec: { sessionAffinity: string } };
    object.spec.sessionAffinity = "None";
    assert.match(
      await kubectl.works(["replace", "-f", "-"], { input: JSON.stringify(object) }),
      /service\/web replaced/,
    );
    const stale = await kubectl.fails(["replace", "-f", "-"], { input: text });
    assert.match(stale, /Conflict|the object has been modified/);
  });

  evening("get in every output form", 0, async () => {
    const get = (...args: string[]) => kubectl.works(["get", "service", "web", ...args]);
    assert.match(await get("-o", "yaml"), /^apiVersion: v1\nkind: Service\n/m);
    assert.equal((JSON.parse(await get("-o", "json")) as { kind: string }).kind, "Service");
    assert.equal(await get("-o", "name"), "service/web\n");
    assert.equal(await get("-o", "jsonpath={.metadata.name} {.spec.type}"), "web ClusterIP");
    assert.equal(await get("-o", "go-template={{.metadata.name}}"), "web");
    assert.match(await get("-o", "custom-columns=N:.metadata.name,T:.spec.type"), /^N +T\nweb +ClusterIP\n$/);
    assert.match(await get("--no-headers"), /^web +ClusterIP/);
    const all = await kubectl.works(["get", "all", "-o", "name"]);
    assert.match(all, /service\/web/);
    assert.doesNotMatch(all, /endpoints|configmap/i);
    assert.match(await kubectl.works(["get", "svc", "-A", "--sort-by=.metadata.name"]), /kubernetes/);
    assert.match(await kubectl.works(["get", "svc,ep", "-n", "default"]), /endpoints\/kubernetes/);
    const slices = await kubectl.works(["get", "endpointslices", "-n", "default"]);
    assert.match(slices, /^NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\n/);
    assert.match(await kubectl.works(["get", "servicecidrs"]), /^NAME +CIDRS +AGE\nkubernetes +10\.96\.0\.0\/16/);
  });

  evening("describe shows what a Service has", 0, async () => {
    const text = await kubectl.works(["describe", "service", "np"]);
    const fields = [
      "Name",
      "Namespace",
      "Labels",
      "Annotations",
      "Selector",
      "Type",
      "IP Families",
      "IP",
      "IPs",
      "Port",
      "TargetPort",
    ];
    for (const field of [...fields, "NodePort", "Endpoints", "Session Affinity", "External Traffic Policy", "Events"]) {
      assert.match(text, new RegExp(`^${field}:`, "m"), field);
    }
    assert.match(text, /^Type: +NodePort$/m);
    assert.match(text, /^IP: +10\.96\./m);
  });

  evening("SVC-347: describe shows all that a Service can have, and the first three ready endpoints", 33, async () => {
    const spec = {
      type: "LoadBalancer",
      selector: { app: "full" },
      ports: [{ name: "http", port: 80, targetPort: "web", appProtocol: "kubernetes.io/h2c", nodePort: 30_047 }],
      clusterIP: "10.96.3.47",
      externalIPs: ["192.0.2.1", "192.0.2.2"],
      loadBalancerIP: "192.0.2.3",
      loadBalancerSourceRanges: ["10.0.0.0/8"],
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Local",
      healthCheckNodePort: 30_048,
      sessionAffinity: "ClientIP",
      trafficDistribution: "PreferSameZone",
    };
    const metadata = { name: "full", labels: { a: "b" }, annotations: { c: "d" } };
    const services = `/api/v1/namespaces/${namespace}/services`;
    const { body, text: said } = await subject.ask("POST", services, { metadata, spec });
    assert.equal(body.kind, "Service", said);
    const ingress = [{ ip: "192.0.2.4", ipMode: "Proxy" }, { hostname: "lb.example" }];
    const status = await subject.ask("PUT", `${services}/full/status`, {
      ...body,
      status: { loadBalancer: { ingress } },
    });
    assert.equal(status.code, 200, status.text);
    const slice = await subject.ask("POST", `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      metadata: { name: "full-1", labels: { "kubernetes.io/service-name": "full" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080 }],
      endpoints: [1, 2, 3, 4, 5].map((last) => ({
        addresses: [`10.1.1.${last}`],
        conditions: { ready: last !== 1 },
      })),
    });
    assert.equal(slice.code, 201, slice.text);
    const described = async (name: string): Promise<Record<string, string>> =>
      Object.fromEntries(
        [...(await kubectl.works(["describe", "service", name])).matchAll(/^(\S[^:]*): *(.*)$/gm)].map((found) => [
          found[1]!,
          found[2]!,
        ]),
      );
    const { AppProtocol: protocol, "Traffic Distribution": distribution, ...shown } = await described("full");
    // kubectl shows these two from some version after 1.33 on.
    if (minor >= 36) assert.deepEqual([protocol, distribution], ["kubernetes.io/h2c", "PreferSameZone"]);
    assert.deepEqual(shown, {
      Name: "full",
      Namespace: namespace,
      Labels: "a=b",
      Annotations: "c: d",
      Selector: "app=full",
      Type: "LoadBalancer",
      "IP Family Policy": "SingleStack",
      "IP Families": "IPv4",
      IP: "10.96.3.47",
      IPs: "10.96.3.47",
      "External IPs": "192.0.2.1,192.0.2.2",
      "Desired LoadBalancer IP": "192.0.2.3",
      "LoadBalancer Ingress": "192.0.2.4 (Proxy), lb.example",
      Port: "http  80/TCP",
      TargetPort: "web/TCP",
      NodePort: "http  30047/TCP",
      Endpoints: "10.1.1.2:8080,10.1.1.3:8080,10.1.1.4:8080 + 1 more...",
      "Session Affinity": "ClientIP",
      "External Traffic Policy": "Local",
      "Internal Traffic Policy": "Local",
      "HealthCheck NodePort": "30048",
      "LoadBalancer Source Ranges": "10.0.0.0/8",
      Events: "<none>",
    });
    assert.equal((await described("en"))["External Name"], "example.com");
    await kubectl.works(["delete", "service", "full"]);
  });

  evening("explain", 0, async () => {
    assert.match(await kubectl.works(["explain", "service.spec.ports"]), /targetPort/);
    const whole = await kubectl.works(["explain", "service", "--recursive"]);
    for (const field of ["sessionAffinityConfig", "loadBalancerSourceRanges", "timeoutSeconds", "ipMode"]) {
      assert.match(whole, new RegExp(`\\b${field}\\b`));
    }
  });

  evening("wait", 0, async () => {
    await kubectl.works(["wait", "--for=condition=Ready", "servicecidr/kubernetes", "--timeout=30s"]);
    assert.match(await kubectl.fails(["wait", "--for=delete", "service/cip", "--timeout=1s"]), /timed out/);
    const waiting = kubectl.run(["wait", "--for=delete", "service/cip", "--timeout=30s"]);
    await kubectl.works(["delete", "service", "cip"]);
    const { code, text } = await waiting;
    // An old kubectl that looks too late complains that there is nothing to wait for.
    assert.ok(code === 0 || /no matching resources found/.test(text), text);
  });

  evening("wait for a field", 23, async () => {
    await kubectl.works(["wait", "--for=jsonpath={.spec.type}=NodePort", "service/np", "--timeout=30s"]);
  });

  evening("auth can-i", 0, async () => {
    assert.equal((await kubectl.works(["auth", "can-i", "create", "services"])).trim(), "yes");
    assert.equal((await kubectl.run(["auth", "can-i", "create", "services", "--as=jane"])).text.trim(), "no");
    assert.match(await kubectl.works(["auth", "can-i", "--list"]), /\*\.\* +\[\] +\[\] +\[\*\]/);
  });

  evening("api-resources and api-versions", 0, async () => {
    const table = await kubectl.works(["api-resources", "--sort-by=name"]);
    assert.match(table, /^services +svc +v1 +true +Service$/m);
    assert.match(table, /^endpointslices +discovery\.k8s\.io\/v1 +true +EndpointSlice$/m);
    assert.match(table, /^ingresses +ing +networking\.k8s\.io\/v1 +true +Ingress$/m);
    const versions = await kubectl.works(["api-versions"]);
    for (const one of ["v1", "discovery.k8s.io/v1", "networking.k8s.io/v1"])
      assert.ok(versions.split("\n").includes(one), one);
  });

  evening("delete with each cascade", 0, async () => {
    const owned = async (name: string): Promise<string> => {
      await kubectl.works(["create", "configmap", name]);
      const uid = await kubectl.works(["get", "configmap", name, "-o", "jsonpath={.metadata.uid}"]);
      const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name, uid, blockOwnerDeletion: true }];
      const dependent = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `${name}-child`, ownerReferences } };
      await kubectl.works(["create", "-f", "-"], { input: JSON.stringify(dependent) });
      return `configmap/${name}-child`;
    };
    const orphan = await owned("orphan");
    await kubectl.works(["delete", "configmap", "orphan", "--cascade=orphan"]);
    const owners = await kubectl.works(["get", orphan, "-o", "jsonpath={.metadata.ownerReferences}"]);
    assert.equal(owners, "", "an orphan has no owner");
    const background = await owned("background");
    await kubectl.works(["delete", "configmap", "background", "--cascade=background"]);
    await until("the dependent to go", async () => /NotFound/.test((await kubectl.run(["get", background])).text));
    const foreground = await owned("foreground");
    await kubectl.works(["delete", "configmap", "foreground", "--cascade=foreground"]);
    assert.match(await kubectl.fails(["get", foreground]), /NotFound/, "the owner goes last");
  });

  evening("delete by label and all, and the namespace with what is in it", 0, async () => {
    await kubectl.works(["label", "service", "np", "lb", "end=yes"]);
    const some = await kubectl.works(["delete", "services", "-l", "end=yes"]);
    assert.match(some, /"np" deleted/);
    assert.match(some, /"lb" deleted/);
    await kubectl.works(["delete", "namespace", namespace, "--timeout=60s"]);
    assert.match(await kubectl.fails(["get", "namespace", namespace]), /NotFound/);
  });
}

void test("there is a kubectl to try", { skip: found.length > 0 ? false : "no kubectl in PATH or KUBECTLS" }, () => {
  assert.ok(found.length > 0);
});
