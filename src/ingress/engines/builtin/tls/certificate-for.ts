import type { Certificate } from "../../../plan/plan.ts";

/** A certificate, and the name in the plan that it was found by. */
export interface Found {
  readonly name: string;
  readonly certificate: Certificate;
}

/** The certificate for a name as in SNI (CTL-140): of just this name, of the wildcard for its first label, or of no name. Pure. */
export function certificateFor(
  certificates: ReadonlyMap<string, Certificate>,
  serverName: string | undefined,
): Found | undefined {
  const dot = serverName?.indexOf(".") ?? -1;
  const names = serverName === undefined ? [""] : [serverName, ...(dot > 0 ? [`*${serverName.slice(dot)}`] : []), ""];
  for (const name of names) {
    const certificate = certificates.get(name);
    if (certificate !== undefined) return { name, certificate };
  }
  return undefined;
}
