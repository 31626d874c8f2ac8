import assert from "node:assert/strict";
import type { Answered, AskOptions, Subject } from "./subject.ts";

export const ISSUER = "https://kubernetes.default.svc.cluster.local";
const GROUP = "/apis/authentication.k8s.io/v1";

export interface Bound {
  readonly kind: string;
  readonly name: string;
  readonly uid?: string;
}

/** What is asked of ServiceAccounts and their tokens, in one subject's namespace `default`. */
export function tokensOf(subject: Subject) {
  const at = (plural: string): string => `/api/v1/namespaces/default/${plural}`;
  const make = async (path: string, body: unknown): Promise<Answered["body"]> => {
    const { code, text, body: made } = await subject.ask("POST", path, body);
    assert.equal(code, 201, text);
    return made;
  };
  const request = (account: string, spec: unknown = {}, metadata: unknown = {}, query = ""): Promise<Answered> =>
    subject.ask("POST", `${at("serviceaccounts")}/${account}/token${query}`, { metadata, spec });
  return {
    request,
    account: (name: string) => make(at("serviceaccounts"), { metadata: { name } }),
    secret: (name: string) => make(at("secrets"), { metadata: { name } }),
    node: (name: string) => make("/api/v1/nodes", { metadata: { name } }),
    pod: (name: string, serviceAccountName: string, nodeName?: string) =>
      make(at("pods"), {
        metadata: { name },
        spec: {
          serviceAccountName,
          ...(nodeName === undefined ? {} : { nodeName }),
          containers: [{ name: "c", image: "i" }],
          terminationGracePeriodSeconds: 0,
        },
      }),
    remove: (plural: string, name: string): Promise<Answered> =>
      subject.ask("DELETE", `${plural === "nodes" ? "/api/v1/nodes" : at(plural)}/${name}?gracePeriodSeconds=0`),
    /** A token of the account, as text. */
    async token(account: string, spec: Record<string, unknown> = {}, bound?: Bound): Promise<string> {
      const boundObjectRef = bound === undefined ? undefined : { apiVersion: "v1", ...bound };
      const { code, text, body } = await request(account, { ...spec, boundObjectRef });
      assert.equal(code, 201, text);
      return body.status.token as string;
    },
    whoami: (options: AskOptions): Promise<Answered> => subject.ask("POST", `${GROUP}/selfsubjectreviews`, {}, options),
    async review(token: string, audiences?: readonly string[]): Promise<Answered["body"]["status"]> {
      const { code, text, body } = await subject.ask("POST", `${GROUP}/tokenreviews`, { spec: { token, audiences } });
      assert.equal(code, 201, text);
      return body.status;
    },
  };
}

/** What a token says, believed as it is. */
export const claimsOf = (token: string): Answered["body"] =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
