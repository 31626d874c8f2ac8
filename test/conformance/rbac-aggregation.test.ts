import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
const ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
before(async () => {
  subject = await startSubject({ controllers: true });
});
after(() => subject.close());

const rule = (resource: string) => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
const make = async (name: string, more: object): Promise<void> => {
  const { code, text } = await subject.ask("POST", ROLES, { metadata: { name }, ...more });
  assert.equal(code, 201, text);
};
const part = (name: string, label: string, ...resources: string[]): Promise<void> =>
  make(name, { metadata: { name, labels: { gather: label } }, rules: resources.map(rule) });
const gathering = (...labels: string[]) => ({
  aggregationRule: { clusterRoleSelectors: labels.map((label) => ({ matchLabels: { gather: label } })) },
});
/** Waits until a role has rules about these resources, in this order. */
async function comes(name: string, ...resources: string[]): Promise<void> {
  let seen = "";
  const isSo = async (): Promise<boolean> => {
    const { body } = await subject.ask("GET", `${ROLES}/${name}`);
    seen = JSON.stringify(body.rules ?? []);
    return isDeepStrictEqual(body.rules ?? [], resources.map(rule));
  };
  await until(`the rules of ${name}`, isSo).catch((error: unknown) => {
    throw new Error(`${name} has ${seen}`, { cause: error });
  });
}
const merge = { headers: { "content-type": "application/merge-patch+json" } };

void test("a role gathers the rules of those that its selectors mean: by selector, then by name, each rule once", async () => {
  await part("first-b", "one", "pods", "services");
  await part("first-a", "one", "configmaps", "pods");
  await part("first-c", "two", "secrets", "services");
  await make("first", { ...gathering("two", "one"), rules: [rule("nodes")] });
  await comes("first", "secrets", "services", "configmaps", "pods");
});

void test("it follows: a role that comes, changes, loses its label or goes", async () => {
  await make("follows", gathering("follow"));
  await part("follow-a", "follow", "pods");
  await comes("follows", "pods");
  await part("follow-b", "follow", "services");
  await comes("follows", "pods", "services");
  await subject.ask("PATCH", `${ROLES}/follow-a`, { rules: [rule("secrets")] }, merge);
  await comes("follows", "secrets", "services");
  await subject.ask("PATCH", `${ROLES}/follow-a`, { metadata: { labels: { gather: null } } }, merge);
  await comes("follows", "services");
  await subject.ask("DELETE", `${ROLES}/follow-b`);
  await comes("follows");
});

void test("what gathers may be gathered in its turn; a role does not gather itself", async () => {
  await part("chain-leaf", "leaf", "pods");
  await make("chain-middle", {
    metadata: { name: "chain-middle", labels: { gather: "middle" } },
    ...gathering("leaf"),
  });
  await make("chain-top", { metadata: { name: "chain-top", labels: { gather: "middle" } }, ...gathering("middle") });
  await comes("chain-top", "pods");
  await subject.ask("PATCH", `${ROLES}/chain-leaf`, { rules: [rule("services")] }, merge);
  await comes("chain-top", "services");
});

void test("rules that somebody writes into it are replaced", async () => {
  await make("kept", gathering("kept"));
  await part("kept-a", "kept", "pods");
  await comes("kept", "pods");
  const { code } = await subject.ask("PATCH", `${ROLES}/kept`, { rules: [rule("secrets")] }, merge);
  assert.equal(code, 200);
  await comes("kept", "pods");
});

void test("a selector without terms gathers every other role", async () => {
  await part("everything-a", "none", "pods");
  await make("everything", { aggregationRule: { clusterRoleSelectors: [{}] } });
  const gathers = async (): Promise<boolean> => {
    const { body } = await subject.ask("GET", `${ROLES}/everything`);
    return (body.rules ?? []).some(({ verbs }: { verbs: string[] }) => verbs.includes("*"));
  };
  await until("the rules of cluster-admin in it", gathers);
  assert.equal((await subject.ask("DELETE", `${ROLES}/everything`)).code, 200);
});
