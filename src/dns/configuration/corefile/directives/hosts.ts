import { familyOf } from "../../../../net/ip.ts";
import type { HostsOptions } from "../../configuration.ts";
import type { Directive } from "../directive.ts";
import { faultAt, quoted } from "../fault.ts";
import { durationOf, expectArgs, expectNoBody, numberOf } from "../values.ts";
import { zonesOf } from "../zones.ts";

type Draft = { -readonly [Key in keyof HostsOptions]: HostsOptions[Key] };

const OPTIONS = ["ttl", "no_reverse", "reload", "fallthrough"];

/** `hosts [FILE [ZONE…]] { [ADDRESS NAME…] … }` */
export const hosts: Directive = {
  name: "hosts",
  read(line, { block, warn, readFile }) {
    const [file, ...zones] = line.args;
    const draft: Draft = {
      file: file?.text ?? "/etc/hosts",
      inline: [],
      ttl: 3600,
      noReverse: false,
      reload: 5_000,
      fallthrough: [],
    };
    if (file !== undefined) {
      try {
        readFile(file.text);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== "ENOENT") throw faultAt(file, `hosts: reading ${quoted(file.text)}: ${message}`);
        warn(file, `hosts: there is no file ${quoted(file.text)} yet`);
      }
    }
    if (zones.length > 0) draft.zones = zones.flatMap(zonesOf);
    for (const option of line.body) {
      expectNoBody(option);
      const [first] = option.args;
      switch (option.name) {
        case "ttl":
          expectArgs(option, "ttl SECONDS", 1);
          draft.ttl = numberOf(option, first!, 1, 65_535, "a TTL");
          break;
        case "no_reverse":
          expectArgs(option, "no_reverse alone", 0);
          draft.noReverse = true;
          break;
        case "reload":
          expectArgs(option, "reload DURATION", 1);
          draft.reload = durationOf(option, first!);
          break;
        case "fallthrough":
          draft.fallthrough = option.args.length === 0 ? [""] : option.args.flatMap(zonesOf);
          break;
        default:
          if (familyOf(option.name.replace(/%.*$/, "")) === undefined) {
            throw faultAt(
              option,
              `hosts: ${quoted(option.name)} is neither an address with names, such as 10.0.0.7 db.acme.local, nor one of ${OPTIONS.join(", ")}`,
            );
          }
          expectArgs(option, "ADDRESS NAME…", 1, Number.MAX_SAFE_INTEGER);
          draft.inline = [...draft.inline, [option.name, ...option.args.map(({ text }) => text)].join(" ")];
      }
    }
    block.hosts = draft;
  },
};
