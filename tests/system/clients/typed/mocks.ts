// Handlers of MSW for the portal's operations, typed by its documents. A mocked answer is checked against the schema.
import { readFileSync } from "node:fs";
import type { ResultOf } from "gql.tada";
import { type DocumentNode, buildSchema, execute, validate } from "graphql";
import { HttpResponse, graphql } from "msw";
import { LEARNERS, LOG_TIME, SIGN_IN } from "./portal";

const schema = buildSchema(readFileSync("schema.graphql", "utf8"));

/** Throws where the server could not give this answer: a null, a value or a type that the schema does not have. */
export async function checkAnswer(document: DocumentNode, variables: Record<string, unknown>, data: unknown): Promise<void> {
  const invalid = validate(schema, document);
  const { errors = invalid } = invalid.length
    ? { errors: invalid }
    : await execute({ schema, document, rootValue: data, variableValues: variables });
  if (errors.length) throw new Error(errors.map(({ message }) => message).join("\n"));
}

const LEARNER: ResultOf<typeof LEARNERS>["learners"]["nodes"][number] = {
  id: "Learner_1",
  name: "Ada Example",
  trafficLight: "OFF_TRACK",
  aims: [{ id: "Aim_1", title: "Motor vehicle technician", status: "IN_TRAINING", plannedEndDate: "2030-01-31" }],
};

export const handlers = [
  graphql.mutation(SIGN_IN, ({ variables }) => {
    const isRight = variables.input.password === "waymark-demo";
    const refusal = { code: "WRONG_PASSWORD", message: "The username or the password is wrong." } as const;
    return HttpResponse.json({
      data: { login: { accessToken: isRight ? "token" : null, errors: isRight ? [] : [refusal] } },
    });
  }),
  graphql.query(LEARNERS, () =>
    HttpResponse.json({ data: { learners: { totalCount: 1, nodes: [LEARNER] } } }),
  ),
  graphql.mutation(LOG_TIME, ({ variables }) => {
    const { learnerId, date, minutes } = variables.input;
    const refusal = {
      code: "INVALID", field: ["date"], reason: "DAY_IN_FUTURE", message: "This day is in the future.",
    } as const;
    const learner = { id: learnerId, offTheJob: { actualMinutes: 600 + minutes } };
    return HttpResponse.json({
      data: {
        timeLogEntryAdd:
          date > new Date().toISOString().slice(0, 10)
            ? { timeLogEntry: null, errors: [{ ...refusal, field: [...refusal.field] }] }
            : { timeLogEntry: { id: "TimeLogEntry_1", minutes, learner }, errors: [] },
      },
    });
  }),
];
