import type { Secret, ServiceAccount } from "../../api/generated/types.ts";

/** The type of Secrets that hold a token for good, for programs outside the cluster. */
const TYPE = "kubernetes.io/service-account-token";
const ACCOUNT_NAME = "kubernetes.io/service-account.name";
export const ACCOUNT_UID = "kubernetes.io/service-account.uid";

/** Makes the token for a Secret of a ServiceAccount. */
export type SignToken = (said: {
  readonly namespace: string;
  readonly account: { readonly name: string; readonly uid: string };
  readonly secret: string;
}) => string;

/** `namespace/name` of the ServiceAccount whose token a Secret is to hold; undefined for all other Secrets. */
export function accountKeyOf({ type, metadata }: Secret): string | undefined {
  const name = metadata.annotations?.[ACCOUNT_NAME];
  return type === TYPE && name !== undefined ? `${metadata.namespace ?? ""}/${name}` : undefined;
}

/** What is to become of a Secret: it goes with its ServiceAccount, or is written with what it lacks; undefined: it is as it should be. */
export type Decision = { readonly write: Secret } | "delete" | undefined;

export function decide(secret: Secret, account: ServiceAccount | undefined, ca: string, sign: SignToken): Decision {
  const { annotations = {}, namespace = "", name = "" } = secret.metadata;
  const uid = annotations[ACCOUNT_UID];
  const accountUid = account?.metadata.uid ?? "";
  // A ServiceAccount of the same name made anew is another one.
  if (account === undefined || (uid !== undefined && uid !== "" && uid !== accountUid)) return "delete";
  const data = secret.data ?? {};
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const [isNamed, isSigned] = [Boolean(data["namespace"]), Boolean(data["token"])];
  if (isNamed && isSigned && data["ca.crt"] === base64(ca)) return undefined;
  const accountName = account.metadata.name ?? "";
  return {
    write: {
      ...secret,
      metadata: {
        ...secret.metadata,
        annotations: { ...annotations, [ACCOUNT_NAME]: accountName, [ACCOUNT_UID]: accountUid },
      },
      data: {
        ...data,
        "ca.crt": base64(ca),
        ...(isNamed ? {} : { namespace: base64(namespace) }),
        ...(isSigned
          ? {}
          : { token: base64(sign({ namespace, account: { name: accountName, uid: accountUid }, secret: name })) }),
      },
    },
  };
}
