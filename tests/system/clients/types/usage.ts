// A TypeScript client with the generated types. It must compile in strict mode, with an error at each @ts-expect-error.
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { EmployerKpisDocument, LogTimeDocument, ProgressMapDocument } from "./graph";

const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: "/graphql" }) });

export async function offTrack(): Promise<number> {
  const { data } = await client.query({ query: EmployerKpisDocument });
  return data!.viewer.kpis.offTrackCount;
}

export async function redCriteria(learnerId: string): Promise<string[]> {
  const variables = { learnerId, filter: "NON_COMPLETED" } as const;
  const { data } = await client.query({ query: ProgressMapDocument, variables });
  const units = data!.learner?.aims.flatMap((aim) => aim.units) ?? [];
  const red = units.flatMap((unit) => unit.criteria).filter(({ status }) => status === "NOT_STARTED");
  return red.map(({ code }) => code);
}

export async function log(learnerId: string, date: string): Promise<string[]> {
  const input = { learnerId, date, minutes: 30, activityType: "TRAINER_LED_TRAINING", comments: "Clutch." } as const;
  const { data } = await client.mutate({ mutation: LogTimeDocument, variables: { input } });
  return data!.timeLogEntryAdd.errors.map(({ code, message }) => `${code}: ${message}`);
}

export async function wrong(): Promise<void> {
  // @ts-expect-error learnerId is required
  await client.query({ query: ProgressMapDocument, variables: {} });
  // @ts-expect-error there is no such filter
  await client.query({ query: ProgressMapDocument, variables: { learnerId: "x", filter: "SOME" } });
  const { data } = await client.query({ query: ProgressMapDocument, variables: { learnerId: "x" } });
  // @ts-expect-error the learner is null if the viewer may not see them
  data!.learner.name;
}
