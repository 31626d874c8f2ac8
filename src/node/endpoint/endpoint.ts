export const startNodeEndpoint = async (_: unknown) => ({ stop: async () => {} });
