// A client whose types gql.tada reads from the served schema while TypeScript checks it: nothing is generated for a query.
import { initGraphQLTada } from "gql.tada";
import { GraphQLClient } from "graphql-request";
import type { introspection } from "./introspection";

export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { Date: string; DateTime: string };
}>();

export const SIGN_IN = graphql(`
  mutation PortalSignIn($input: LoginInput!) {
    login(input: $input) { accessToken errors { code message } }
  }
`);
export const LEARNERS = graphql(`
  query PortalLearners($first: Int!, $filter: LearnerFilter) {
    learners(first: $first, filter: $filter) {
      totalCount
      nodes { id name trafficLight aims { id title status plannedEndDate } }
    }
  }
`);
export const LOG_TIME = graphql(`
  mutation PortalLogTime($input: TimeLogEntryInput!) {
    timeLogEntryAdd(input: $input) {
      timeLogEntry { id minutes learner { id offTheJob { actualMinutes } } }
      errors { code field reason message }
    }
  }
`);

/** The portal's functions against one server. */
export class Portal {
  readonly #client: GraphQLClient;
  #token = "";

  constructor(address: string) {
    this.#client = new GraphQLClient(`${address}/graphql`, {
      headers: () => (this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
    });
  }

  /** Signs in. Returns null, or the sentence that says why not. */
  async signIn(username: string, password: string): Promise<string | null> {
    const { login } = await this.#client.request(SIGN_IN, { input: { username, password } });
    this.#token = login.accessToken ?? "";
    return login.accessToken ? null : login.errors.map(({ message }) => message).join(" ");
  }

  /** The learners of whom something is off track, each with the titles of their aims. */
  async offTrack(first: number): Promise<{ id: string; label: string }[]> {
    const { learners } = await this.#client.request(LEARNERS, { first, filter: { trafficLight: "OFF_TRACK" } });
    return learners.nodes.map(({ id, name, aims }) => ({ id, label: `${name}: ${aims.map((aim) => aim.title).join(", ")}` }));
  }

  /** Logs half an hour. Returns the learner's total, or the reason of the refusal. */
  async log(learnerId: string, date: string): Promise<number | string> {
    const entry = { minutes: 30, activityType: "COACHING_OR_MENTORING", comments: "Wheel bearings." } as const;
    const { timeLogEntryAdd } = await this.#client.request(LOG_TIME, { input: { learnerId, date, ...entry } });
    const [refusal] = timeLogEntryAdd.errors;
    return refusal?.reason ?? timeLogEntryAdd.timeLogEntry!.learner.offTheJob.actualMinutes;
  }
}
