import { addFault, whereOf, winnerName, type FaultsByIngress } from "./conflicts.ts";
import type { Certificate } from "./plan.ts";
import type { Reading, TlsClaim } from "./reading.ts";

/** A name as in SNI, as it is now. */
export interface PlannedName {
  /** Undefined: the default one is served. */
  readonly certificate: Certificate | undefined;
  /** Somebody wants TLS for it, whether there is a certificate or not. */
  readonly hasTls: boolean;
  readonly faults: FaultsByIngress;
}

/**
 * Whose certificate is served for a name: of those that can be, the oldest Ingress'.
 *
 * @param readings oldest first
 */
export function planName(name: string, readings: readonly Reading[]): PlannedName {
  const faults: FaultsByIngress = new Map();
  const claims = readings.flatMap((reading) =>
    reading.tls.filter((claim) => claim.name === name).map((claim) => ({ reading, claim })),
  );
  const won = claims.find(({ claim }) => claim.certificate !== undefined);
  const isOther = (claim: TlsClaim): boolean => claim.certificate !== undefined && claim.secret !== won?.claim.secret;
  for (const { reading, claim } of claims) {
    if (won === undefined || !isOther(claim)) continue;
    const who = winnerName(won.reading, reading, won.claim.field);
    addFault(faults, reading.key, {
      field: `${claim.field}.secretName`,
      reason: "CertificateConflict",
      message: `${who} has Secret ${won.claim.secret} for ${whereOf(name)} already, which is served instead of Secret ${claim.secret}`,
    });
  }
  return { certificate: won?.claim.certificate, hasTls: claims.length > 0, faults };
}

/** `*.b.c` for `a.b.c`; undefined for what has no labels to spare. */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf(".");
  return dot > 0 && !host.startsWith("*") ? `*${host.slice(dot)}` : undefined;
}
