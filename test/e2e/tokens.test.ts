import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Secret, ServiceAccount } from "../../src/api/generated/types.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { kubectls } from "../lab/kubectls.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest } from "./fixtures.ts";

const kubectl = kubectls().findLast(({ minor }) => minor >= 27);

const account: ServiceAccount = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "ci" } };
const secret: Secret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "ci-token", annotations: { "kubernetes.io/service-account.name": "ci" } },
  type: "kubernetes.io/service-account-token",
};

describe("tokens", { skip: kubectl === undefined ? "there is no kubectl of 1.27 or newer" : false }, () => {
  let lab: Lab;
  let host: LabHost;
  let fairlead: Fairlead;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    const files = [manifest(host, "tokens.yaml", [account, secret])];
    fairlead = await bringUp(host, { flags: ["--private"], files });
  });
  after(async () => {
    await fairlead.end();
    await lab.close();
  });

  const text = (base64: string): string => Buffer.from(base64, "base64").toString();
  const said = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await fairlead.kubectl(kubectl!.path, args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  /** As whom the API knows the bearer of a token; the server is believed by the authority it told its pods. */
  const bearer = async (token: string, ca: string): Promise<string> => {
    const path = join(host.scratch, "told-ca.crt");
    writeFileSync(path, ca);
    const url = `${fairlead.server}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
    const headers = ["-H", `Authorization: Bearer ${token}`, "-H", "Content-Type: application/json"];
    const { stdout } = await host.run("curl", ["-s", "-m", "5", "--cacert", path, ...headers, "-d", "{}", url]);
    const answer = JSON.parse(stdout) as { status?: { userInfo?: { username?: string } } | string };
    return typeof answer.status === "object" ? (answer.status.userInfo?.username ?? "") : stdout;
  };

  test("tokens that a Secret holds and that are asked for open the API, also after the next up", async () => {
    const { data = {} } = await until("the Secret to hold a token", async () => {
      const found = JSON.parse(await said("get", "secret", "ci-token", "-o", "json")) as Secret;
      return found.data?.["token"] !== undefined && found;
    });
    const map = JSON.parse(await said("get", "configmap", "kube-root-ca.crt", "-o", "json")) as {
      data: { "ca.crt": string };
    };
    const ca = map.data["ca.crt"];
    assert.equal(text(data["ca.crt"]!), ca);
    const body = join(host.scratch, "token-request.json");
    writeFileSync(body, "{}");
    const path = "/api/v1/namespaces/default/serviceaccounts/ci/token";
    const answered = JSON.parse(await said("create", "--raw", path, "-f", body)) as { status: { token: string } };
    const tokens = [text(data["token"]!), answered.status.token];
    const user = "system:serviceaccount:default:ci";
    for (const token of tokens) assert.equal(await bearer(token, ca), user);
    assert.equal(await fairlead.end("SIGTERM"), 0);
    fairlead = await bringUp(host, { flags: ["--private"], data: fairlead.data });
    for (const token of tokens) assert.equal(await bearer(token, ca), user);
    await said("delete", "serviceaccount", "ci");
    for (const token of tokens) assert.match(await bearer(token, ca), /"message": ?"Unauthorized"/);
    await until("the Secret to go with its ServiceAccount", async () => {
      const { code, stderr } = await fairlead.kubectl(kubectl!.path, ["get", "secret", "ci-token"]);
      return code !== 0 && stderr.includes("NotFound");
    });
  });
});
