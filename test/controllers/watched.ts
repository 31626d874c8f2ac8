import type { EndpointSlice } from "../../src/api/generated/types.ts";
import type { KubeObject } from "../../src/api/object.ts";
import type { Client } from "../../src/client/client.ts";

/** The client, with each write of an EndpointSlice told before it is sent. */
export const watched =
  (told: (verb: "create" | "update", slice: EndpointSlice) => void) =>
  (client: Client): Client => {
    const tell = (verb: "create" | "update", object: KubeObject): void => {
      if (object.kind === "EndpointSlice") told(verb, object as EndpointSlice);
    };
    return {
      ...client,
      create: async (resource, object, ...rest) => {
        tell("create", object);
        return client.create(resource, object, ...rest);
      },
      update: async (resource, object, ...rest) => {
        tell("update", object);
        return client.update(resource, object, ...rest);
      },
    };
  };
