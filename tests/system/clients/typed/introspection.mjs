// Writes introspection.d.ts from schema.graphql, as `gql.tada generate-output` does where TypeScript is older than 7.
import { readFileSync, writeFileSync } from "node:fs";
import { minifyIntrospection, outputIntrospectionFile } from "@gql.tada/internal";
import { buildSchema, introspectionFromSchema } from "graphql";

const introspection = introspectionFromSchema(buildSchema(readFileSync("schema.graphql", "utf8")), { descriptions: false });
writeFileSync("introspection.d.ts", outputIntrospectionFile(minifyIntrospection(introspection), { fileType: ".d.ts" }));
