import assert from "node:assert/strict";
import { ask, askHttp2, begin, answerTo, handshake, keptAgent, openHttp2, openRaw } from "../lab/clients.ts";
import { createCertificate } from "../lab/certificates.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** Certificates by name, and what comes over them. */
export const tlsExamples = (subject: EngineSubject): void =>
  onStage(subject, "TLS", (add) => {
    const shown = async (place: Parameters<typeof handshake>[0], servername: string): Promise<unknown> =>
      (await handshake(place, { servername })).certificate.subject?.CN;

    add("CTL-140 the certificate of a host's Secret is shown for its name", async ({ cluster, site, door }) => {
      cluster.tlsSecret("one", await createCertificate(["one.tls.test"]));
      const { askTls } = await site({ host: "one.tls.test", tls: [{ hosts: ["one.tls.test"], secretName: "one" }] });
      assert.equal(await shown(door.secure, "one.tls.test"), "one.tls.test");
      assert.equal(await shown(door.secure, "ONE.tls.test"), "one.tls.test");
      assert.equal((await askTls()).status, 200);
    });

    add("CTL-140 a wildcard's certificate is shown for one more label", async ({ cluster, site, door, askTls }) => {
      cluster.tlsSecret("wild", await createCertificate(["*.wild.tls.test"]));
      await site({ host: "*.wild.tls.test", tls: [{ hosts: ["*.wild.tls.test"], secretName: "wild" }] });
      assert.equal(await shown(door.secure, "a.wild.tls.test"), "*.wild.tls.test");
      assert.equal((await askTls({ host: "a.wild.tls.test" })).status, 200);
      for (const other of ["a.b.wild.tls.test", "wild.tls.test"]) {
        assert.equal(await shown(door.secure, other), "fallback.test", other);
      }
    });

    add("CTL-140 an exact name goes before a wildcard", async ({ cluster, site, door }) => {
      cluster.tlsSecret("both-wild", await createCertificate(["*.both.tls.test"]));
      cluster.tlsSecret("both-exact", await createCertificate(["x.both.tls.test"]));
      await site({ host: "*.both.tls.test", tls: [{ hosts: ["*.both.tls.test"], secretName: "both-wild" }] });
      await site({ host: "x.both.tls.test", tls: [{ hosts: ["x.both.tls.test"], secretName: "both-exact" }] });
      assert.equal(await shown(door.secure, "x.both.tls.test"), "x.both.tls.test");
      assert.equal(await shown(door.secure, "y.both.tls.test"), "*.both.tls.test");
    });

    add("CTL-140 an unknown name, and none at all, is shown the default certificate", async ({ door }) => {
      assert.equal(await shown(door.secure, "nobody.tls.test"), "fallback.test");
      assert.equal((await handshake(door.secure)).certificate.subject?.CN, "fallback.test");
    });

    add(
      "CTL-140 a Secret that is missing, or is no certificate, or has another's key: the default certificate, and the host is served",
      async ({ cluster, site, door }) => {
        const [own, others] = await Promise.all([createCertificate(["bad.tls.test"]), createCertificate(["o.test"])]);
        cluster.secret("garbage", { "tls.crt": "no certificate", "tls.key": "no key" }, { type: "kubernetes.io/tls" });
        cluster.secret("empty", {}, { type: "kubernetes.io/tls" });
        cluster.tlsSecret("mixed", { certificate: own.certificate, key: others.key });
        for (const secretName of ["absent", "garbage", "empty", "mixed"]) {
          const host = `${secretName}.bad.tls.test`;
          const { askTls } = await site({ host, tls: [{ hosts: [host], secretName }] });
          assert.equal(await shown(door.secure, host), "fallback.test", secretName);
          assert.equal((await askTls()).status, 200, secretName);
        }
      },
    );

    add("CTL-140 a chain is shown whole, and RSA keys do as well", async ({ cluster, site, door }) => {
      const ca = await createCertificate(["root.test"], { isCa: true });
      const leaf = await createCertificate(["chain.tls.test"], { ca });
      cluster.tlsSecret("chain", { certificate: leaf.certificate + ca.certificate, key: leaf.key });
      await site({ host: "chain.tls.test", tls: [{ hosts: ["chain.tls.test"], secretName: "chain" }] });
      const { certificate } = await handshake(door.secure, {
        servername: "chain.tls.test",
        ca: ca.certificate,
        rejectUnauthorized: true,
      });
      assert.equal(certificate.subject?.CN, "chain.tls.test");
    });

    add(
      "CTL-141 a host with TLS sends plain requests to https with 308, unless it is told not to",
      async ({ cluster, site }) => {
        cluster.tlsSecret("redirected", await createCertificate(["redirected.test"]));
        const tls = [{ hosts: ["redirected.test"], secretName: "redirected" }];
        const { ask, askTls, annotate } = await site({ host: "redirected.test", tls });
        const sent = await ask({ path: "/a/b?c=d%20e", headers: { host: "redirected.test:80" } });
        assert.equal(sent.status, 308);
        assert.equal(sent.headers.location, "https://redirected.test/a/b?c=d%20e");
        assert.equal((await askTls()).status, 200);
        await annotate({ "ssl-redirect": "false" });
        assert.equal((await ask()).status, 200);
      },
    );

    add("CTL-141 force-ssl-redirect does so where a host has no TLS of its own", async ({ site }) => {
      const { ask, askTls, host } = await site({ nginx: { "force-ssl-redirect": "true" } });
      const sent = await ask({ path: "/x" });
      assert.equal(sent.status, 308);
      assert.equal(sent.headers.location, `https://${host}/x`);
      assert.equal((await askTls()).status, 200);
    });

    add("CTL-141 what authorities of certificates ask for is served in the clear", async ({ site }) => {
      const { ask } = await site({ nginx: { "force-ssl-redirect": "true" } });
      assert.equal((await ask({ path: "/.well-known/acme-challenge/token?x" })).status, 200);
      for (const path of [
        "/.well-known/acme-challenger/x",
        "/x/.well-known/acme-challenge/x",
        "/x?/.well-known/acme-challenge/",
      ]) {
        assert.equal((await ask({ path })).status, 308, path);
      }
    });

    add(
      "CTL-141 nobody is sent in a circle whom somebody trusted says to have come by https",
      async ({ site, ask }) => {
        const { host } = await site({ nginx: { "force-ssl-redirect": "true" } });
        const headers = { "x-forwarded-proto": "https" };
        assert.equal((await ask({ host, headers, localAddress: "127.0.99.1" })).status, 200);
        assert.equal((await ask({ host, headers })).status, 308);
      },
    );

    add("ALPN: h2 and http/1.1 are offered, the client's wish decides", async ({ door }) => {
      const alpn = async (ALPNProtocols: string[]): Promise<string | false> =>
        (await handshake(door.secure, { servername: "fallback.test", ALPNProtocols })).alpn;
      assert.equal(await alpn(["h2", "http/1.1"]), "h2");
      assert.equal(await alpn(["http/1.1"]), "http/1.1");
      assert.equal((await handshake(door.secure, { servername: "fallback.test" })).alpn, false);
    });

    add("TLS 1.2 and 1.3 are spoken, 1.1 is not", async ({ door }) => {
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const { protocol } = await handshake(door.secure, { minVersion: version, maxVersion: version });
        assert.equal(protocol, version);
      }
      await assert.rejects(
        handshake(door.secure, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
      );
    });

    add(
      "a certificate that is renewed is shown at once, and connections with the former one stay",
      async ({ cluster, site, door, follow }) => {
        const host = "renewed.test";
        const serial = async (): Promise<string> =>
          (await handshake(door.secure, { servername: host })).certificate.serialNumber;
        cluster.tlsSecret("renewed", await createCertificate([host]));
        await site({ host, tls: [{ hosts: [host], secretName: "renewed" }] });
        const before = await serial();
        const agent = keptAgent(door.secure);
        assert.equal((await ask(door.secure, { host, agent })).status, 200);
        const session = await openHttp2(door.secure, host);
        assert.equal((await askHttp2(session)).status, 200);
        for (let i = 0; i < 5; i++) {
          cluster.tlsSecret("renewed", await createCertificate([host]));
          await follow();
          const kept = await ask(door.secure, { host, agent });
          assert.equal(kept.status, 200);
          assert.ok(kept.reused, "the connection was kept");
          assert.equal((await askHttp2(session)).status, 200);
        }
        assert.notEqual(await serial(), before);
        agent.destroy();
        session.close();
      },
    );

    add("a certificate is renewed while a body is under way", async ({ cluster, site, door, lab, follow, name }) => {
      const gate = name("gate");
      const { host } = await site();
      const request = begin(door.secure, { host, how: { holdBody: gate, body: "0123456789" } });
      const answered = answerTo(request);
      request.end();
      await lab.sees(gate);
      cluster.tlsSecret("under-way", await createCertificate([host]));
      await follow();
      await lab.release(gate);
      assert.equal((await answered).text, "0123456789");
    });

    add("plain HTTP to the TLS port is told so, and the door stays", async ({ door, site }) => {
      const { askTls, host } = await site();
      const connection = await openRaw({ ...door.secure, tls: false });
      connection.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      const answer = await connection.over();
      const isAlert = answer.startsWith("\u0015\u0003");
      assert.ok(answer === "" || isAlert || answer.startsWith("HTTP/1.1 400"), answer);
      assert.equal((await askTls()).status, 200);
    });
  });
