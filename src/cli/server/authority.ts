import { X509Certificate } from "node:crypto";
import type { Store } from "../../store/store.ts";
import { Failure } from "../failure.ts";

/** Beside the objects, not among them. */
const AUTHORITY_KEY = "/fairlead/authority";

/**
 * Servers that share a store must share a certificate authority too: a client that believes one must believe the others. The first server
 * writes down whose it is; one with another is refused.
 */
export async function agreeOnAuthority(store: Store, ca: string, directory: string): Promise<void> {
  const ours = new X509Certificate(ca).fingerprint256;
  const result = await store.write(
    [{ key: AUTHORITY_KEY, absent: true }],
    [{ type: "put", key: AUTHORITY_KEY, value: ours }],
  );
  const theirs = result.ok ? ours : result.current?.value;
  if (theirs === ours) return;
  throw new Failure(
    `starting on a store that other servers use: their certificate authority is ${theirs}, and the one in ${directory} is ${ours}. ` +
      `Put a copy of their ca.crt and ca.key into ${directory} in place of all that is there; or, when theirs is gone for good, ` +
      `delete the key ${AUTHORITY_KEY} from etcd.`,
  );
}
