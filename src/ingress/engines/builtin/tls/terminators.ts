import { hkdfSync } from "node:crypto";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Certificate } from "../../../plan/plan.ts";
import { certificateFor, type Found } from "./certificate-for.ts";

/** TLS 1.2 with forward secrecy and authenticated encryption alone, and TLS 1.3; clients choose by what they do fast. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
/** What Node takes as `ticketKeys`: name, HMAC and AES. */
const TICKET_KEYS = 48;

export interface TerminatorGround {
  /** What keys of session tickets come of: engines that have the same resume each other's sessions. */
  readonly ticketSecret: Buffer;
  /** Milliseconds of a handshake. */
  readonly handshake: number;
  readonly secured: (socket: TLSSocket) => void;
  readonly failed: (error: Error, socket: TLSSocket) => void;
  /** A certificate cannot be used: what it is, and why. */
  readonly unusable: (found: Found, error: Error) => void;
}

/** What ends TLS for a name. */
export interface Terminators {
  /** Undefined: there is no certificate for it, and none for no name. */
  for(serverName: string | undefined): Server | undefined;
  /** Handshakes that begin from now on go by these. */
  follow(certificates: ReadonlyMap<string, Certificate>): void;
  /** How many are made. */
  readonly size: number;
}

/**
 * One for each name in the plan, made when the first client asks for it: thousands of certificates cost nothing at the start. Each has keys of
 * session tickets of its own, which outlive its certificate: a session of one name is never resumed by another.
 */
export function createTerminators(ground: TerminatorGround): Terminators {
  let certificates: ReadonlyMap<string, Certificate> = new Map();
  const made = new Map<string, { readonly certificate: Certificate; readonly server: Server | undefined }>();

  const make = (found: Found): Server | undefined => {
    const { name, certificate } = found;
    try {
      const server = createServer({
        cert: certificate.chain,
        key: certificate.key,
        minVersion: "TLSv1.2",
        ciphers: CIPHERS,
        honorCipherOrder: false,
        ALPNProtocols: ["h2", "http/1.1"],
        handshakeTimeout: ground.handshake,
        ticketKeys: Buffer.from(hkdfSync("sha256", ground.ticketSecret, "", `session tickets ${name}`, TICKET_KEYS)),
        sessionIdContext: Buffer.from(hkdfSync("sha256", name, "", "session", 16)).toString("hex"),
      });
      server.on("secureConnection", ground.secured);
      server.on("tlsClientError", ground.failed);
      return server;
    } catch (error) {
      ground.unusable(found, error as Error);
      return undefined;
    }
  };

  const of = (found: Found): Server | undefined => {
    const there = made.get(found.name);
    if (there?.certificate === found.certificate) return there.server;
    const server = make(found);
    made.set(found.name, { certificate: found.certificate, server });
    return server;
  };

  return {
    for(serverName) {
      const found = certificateFor(certificates, serverName);
      if (found === undefined) return undefined;
      const server = of(found);
      if (server !== undefined || found.name === "") return server;
      const last = certificateFor(certificates, undefined);
      return last === undefined ? undefined : of(last);
    },
    follow(next) {
      if (next === certificates) return;
      certificates = next;
      for (const [name, { certificate }] of made) if (next.get(name) !== certificate) made.delete(name);
    },
    get size() {
      return made.size;
    },
  };
}
