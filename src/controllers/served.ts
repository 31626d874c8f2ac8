import type { Resource } from "../api/object.ts";
import type { Client } from "../client/client.ts";

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

interface GroupList {
  readonly groups?: readonly {
    readonly name: string;
    readonly preferredVersion?: { readonly version: string };
    readonly versions: readonly { readonly version: string }[];
  }[];
}

/** What can be listed, watched and deleted on this server, each resource once, by discovery. Throws when the server cannot say. */
export async function servedResources(client: Client, signal?: AbortSignal): Promise<Resource[]> {
  const { groups = [] } = (await client.raw("GET", "/apis", undefined, signal)) as GroupList;
  const versions = [
    { group: "", version: "v1", path: "/api/v1" },
    ...groups.flatMap(({ name, preferredVersion, versions }) => {
      const version = preferredVersion?.version ?? versions[0]?.version;
      return version === undefined ? [] : [{ group: name, version, path: `/apis/${name}/${version}` }];
    }),
  ];
  const lists = await Promise.all(
    versions.map(async ({ group, version, path }) => {
      const { resources = [] } = (await client.raw("GET", path, undefined, signal)) as ResourceList;
      return resources
        .filter(
          ({ name, verbs }) => !name.includes("/") && ["list", "watch", "delete"].every((verb) => verbs.includes(verb)),
        )
        .map(({ name, kind, namespaced }): Resource => ({ group, version, plural: name, kind, namespaced }));
    }),
  );
  return lists.flat();
}
