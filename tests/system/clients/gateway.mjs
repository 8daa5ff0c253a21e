// A stitching gateway: Waymark and a small service of company vans as one graph. Learners belong to both.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import { makeExecutableSchema } from "@graphql-tools/schema";
import { stitchSchemas } from "@graphql-tools/stitch";
import { buildSchema } from "graphql";
import { createYoga } from "graphql-yoga";
import { root } from "./waymark.mjs";

const VANS = makeExecutableSchema({
  typeDefs: `
    type Van { plate: String! driver: Learner }
    type Learner { id: ID! van: Van }
    type Query { vans: [Van!]! driversById(ids: [ID!]!): [Learner]! }
  `,
  resolvers: {
    Query: {
      vans: (_, __, { vans }) => vans,
      driversById: (_, { ids }, { vans }) => ids.map((id) => ({ id, van: vans.find(({ driver }) => driver.id === id) })),
    },
  },
});

/**
 * Starts the gateway in front of a server. `vans` are those of the second service; `sent` gets what the gateway sends.
 * Each request goes on with the token of the request that caused it.
 */
export async function startGateway(address, vans, sent) {
  const record = async (url, options, ...rest) => {
    sent.push({ method: options.method, url: String(url), headers: options.headers });
    return fetch(url, options, ...rest);
  };
  const waymark = {
    schema: buildSchema(readFileSync(new URL("schema/schema.graphql", root), "utf8")),
    executor: buildHTTPExecutor({
      endpoint: `${address}/graphql`,
      fetch: record,
      headers: ({ context }) => ({ authorization: context.authorization }),
    }),
    batch: true,
    merge: {
      Learner: {
        selectionSet: "{ id }",
        fieldName: "nodes",
        key: ({ id }) => id,
        argsFromKeys: (ids) => ({ ids }),
      },
    },
  };
  const own = {
    schema: VANS,
    merge: {
      Learner: {
        selectionSet: "{ id }",
        fieldName: "driversById",
        key: ({ id }) => id,
        argsFromKeys: (ids) => ({ ids }),
      },
    },
  };
  const schema = stitchSchemas({ subschemas: [waymark, own], mergeTypes: true });
  const context = ({ request }) => ({ authorization: request.headers.get("authorization"), vans });
  const server = createServer(createYoga({ schema, context, logging: false, maskedErrors: false }));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.closeAllConnections() || server.close() };
}
