// What gql.tada must refuse, with an error at each @ts-expect-error.
import type { ResultOf, VariablesOf } from "gql.tada";
import { LEARNERS, graphql } from "./portal";

export const misspelt = graphql(`query Misspelt { viewer { user { nmae } } }`);

export function wrong(answer: ResultOf<typeof LEARNERS>, other: ResultOf<typeof misspelt>): void {
  const [learner] = answer.learners.nodes;
  // @ts-expect-error the query does not select it
  learner!.email;
  // @ts-expect-error there is no such light
  if (learner!.trafficLight === "RED") return;
  // @ts-expect-error the schema has no such field
  const name: string = other.viewer.user.nmae;
  // @ts-expect-error there is no such filter
  const filter: VariablesOf<typeof LEARNERS> = { first: 1, filter: { colour: "RED" } };
  // @ts-expect-error first is required
  const variables: VariablesOf<typeof LEARNERS> = {};
  void [name, filter, variables];
}
