import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { USUAL_OPTIONS } from "./options.ts";
import { settingsFor, timeoutsFor } from "./settings.ts";

const names = (release: string, strictARP = false): string[] =>
  settingsFor(release, { ...USUAL_OPTIONS, strictARP }).map(([name, value]) => `${name.replace(/.*\./, "")}=${value}`);

test("PRX-183: conn_reuse_mode is turned off only from Linux 4.1 to before 5.9; strictARP adds its two", () => {
  const always = ["conntrack=1", "expire_nodest_conn=1", "expire_quiescent_template=1", "ip_forward=1"];
  for (const release of ["3.10.0", "4.0.9", "5.9.0-1-amd64", "5.10.1", "6.1.176"]) deepEqual(names(release), always);
  for (const release of ["4.1.0", "4.19.0-25", "5.8.18+"]) deepEqual(names(release), [...always, "conn_reuse_mode=0"]);
  deepEqual(names("6.1.0", true), [...always, "arp_ignore=1", "arp_announce=2"]);
});

test("PRX-187: timeouts of 0 leave the kernel's", () => {
  deepEqual(timeoutsFor(USUAL_OPTIONS), undefined);
  deepEqual(timeoutsFor({ ...USUAL_OPTIONS, tcpFinTimeout: 9 }), ["--set", "0", "9", "0"]);
});
