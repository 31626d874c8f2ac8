import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, type LabHost } from "./lab.ts";
import { until } from "./until.ts";

const UNPACKED = join(ROOT, "node_modules/.cache/systemd-resolved");
const DAEMON = join(UNPACKED, "lib/systemd/systemd-resolved");
/** Where its tool, resolvectl, is. */
export const RESOLVED_TOOLS = join(UNPACKED, "usr/bin");

/** Why systemd-resolved cannot be run by a test; false where it can. */
export const resolvedMissing = (): string | false =>
  existsSync(DAEMON) && existsSync("/usr/bin/dbus-daemon")
    ? false
    : "needs systemd-resolved ('npm run setup' unpacks it) and dbus-daemon";

const BUS = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`;

/** Its own user, in a copy of the machine's files; nothing of the machine's configuration. */
const SETUP = `
cp /etc/passwd "$1/passwd" && echo 'systemd-resolve:x:996:996::/:/usr/sbin/nologin' >> "$1/passwd" && mount --bind "$1/passwd" /etc/passwd
cp /etc/group "$1/group" && echo 'systemd-resolve:x:996:' >> "$1/group" && mount --bind "$1/group" /etc/group
mkdir -p /run/dbus /run/systemd/resolve /run/systemd/resolved.conf.d && chown 996:996 /run/systemd/resolve
cat > /run/systemd/resolved.conf.d/test.conf`;

/** Runs systemd-resolved on a lab host, with a bus of its own; it asks this resolver. Ends with the lab. */
export async function startResolved(host: LabHost, upstream: string): Promise<void> {
  const folder = join(host.scratch, "resolved");
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, "bus.conf"), BUS);
  await host.check("sh", ["-ec", SETUP, "sh", folder], {
    input: `[Resolve]\nDNS=${upstream}\nFallbackDNS=\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nCache=no\nReadEtcHosts=no\n`,
  });
  for (const [command, ...args] of [
    ["dbus-daemon", `--config-file=${join(folder, "bus.conf")}`, "--nofork"],
    [DAEMON],
  ] as const) {
    const running = await host.open(command, args);
    running.stdout.resume();
    running.stderr.resume();
    host.atClose(async () => {
      running.kill("SIGKILL");
      await running.ended;
    });
    if (command !== DAEMON)
      await until("the bus", async () => (await host.run("test", ["-S", "/run/dbus/system_bus_socket"])).code === 0);
  }
  await until("systemd-resolved", async () => (await host.run("resolvectl", ["status"])).code === 0);
}
