import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Identity } from "./identity.ts";
import { authenticated } from "./known.ts";

/** Whom a connection's client certificate names; `none` when it has none that names a user, `refused` when it is not to be believed. */
type Certified = Identity | "none" | "refused";

interface Judged {
  readonly said: Certified;
  /** Milliseconds since the epoch between which all certificates up to the authority's are valid. */
  readonly from: number;
  readonly to: number;
}

/** The certificate is the same for as long as the connection lives. */
const judged = new WeakMap<TLSSocket, Judged>();

/** The subject's attribute for a user's UID (Kubernetes' own arc). */
const UID = "1.3.6.1.4.1.57683.2";
const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";
/** Certificates between a client's and the authority's: more than anybody has. */
const LONGEST_CHAIN = 10;

const allOf = (subject: Readonly<Record<string, unknown>>, name: string): string[] =>
  [subject[name] ?? []].flat().filter((value) => typeof value === "string");

/** The Kubernetes rule for X.509 clients: the last CN is the user, each O a group. A certificate without a CN names nobody. */
function named(certificate: X509Certificate): Certified {
  const subject = certificate.toLegacyObject().subject as unknown as Readonly<Record<string, unknown>>;
  const user = allOf(subject, "CN").at(-1) ?? "";
  if (user === "") return "none";
  const uids = allOf(subject, UID);
  if (uids.length > 1 || uids[0] === "") return "refused";
  const digest = createHash("sha256").update(certificate.raw).digest("hex");
  return authenticated({
    user,
    ...(uids[0] === undefined ? {} : { uid: uids[0] }),
    groups: allOf(subject, "O").filter((group) => group !== ""),
    extra: { [CREDENTIAL_ID]: [`X509SHA256=${digest}`] },
  });
}

function judge(socket: TLSSocket): Judged {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { said: "none", from: -Infinity, to: Infinity };
  // The TLS layer has verified chain, purpose and, by the system's clock, the time.
  if (!socket.authorized) return { said: "refused", from: -Infinity, to: Infinity };
  const chain = [certificate];
  for (let next = certificate.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    if (chain.push(next) > LONGEST_CHAIN || next.checkIssued(next)) break;
  }
  return {
    said: named(certificate),
    from: Math.max(...chain.map(({ validFromDate }) => validFromDate.getTime())),
    to: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())),
  };
}

/**
 * Whom the client certificate of a connection names. Read once a connection; but connections outlive certificates, so its time is looked
 * at for every request.
 */
export function certificateIdentity(socket: TLSSocket, nowMs: number): Certified {
  let found = judged.get(socket);
  if (found === undefined) judged.set(socket, (found = judge(socket)));
  return nowMs >= found.from && nowMs <= found.to ? found.said : "refused";
}
