// A page of another origin with TanStack Query and graphql-request: a session, a query, a mutation and what it invalidates.
import { QueryCache, QueryClient, QueryClientProvider, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ClientError, GraphQLClient, gql } from "graphql-request";
import { useState } from "react";
import { createRoot } from "react-dom/client";

const SERVER = new URLSearchParams(location.search).get("server");
const LOGIN = gql`
  mutation PageSignIn($input: LoginInput!) {
    login(input: $input) { accessToken errors { message } }
  }
`;
const TIME = gql`
  query PageTime {
    viewer { user { name } learner { id offTheJob { actualMinutes } timeLog(first: 3) { nodes { id comments } } } }
  }
`;
const LOG = gql`
  mutation PageLogTime($input: TimeLogEntryInput!) {
    timeLogEntryAdd(input: $input) { errors { message reason } }
  }
`;

const stored = () => sessionStorage.getItem("token");
const client = new GraphQLClient(`${SERVER}/graphql`, {
  headers: () => ({
    // As the instrumentation of OpenTelemetry adds it.
    traceparent: `00-${crypto.randomUUID().replaceAll("-", "")}-00f067aa0ba902b7-01`,
    "graphql-client-name": "react-query-page",
    ...(stored() && { authorization: `Bearer ${stored()}` }),
  }),
});

const codeOf = (error) => (error instanceof ClientError ? error.response.errors?.[0]?.extensions?.code : undefined);
const signOut = (setToken) => {
  sessionStorage.removeItem("token");
  setToken(null);
};

function SignIn({ onToken }) {
  const signIn = useMutation({
    mutationFn: (input) => client.request(LOGIN, { input }),
    onSuccess: ({ login }) => {
      if (!login.accessToken) return;
      sessionStorage.setItem("token", login.accessToken);
      onToken(login.accessToken);
    },
  });
  const submit = (event) => {
    event.preventDefault();
    signIn.mutate(Object.fromEntries(new FormData(event.target)));
  };
  const refusal = signIn.error ? "The server cannot be reached." : signIn.data?.login.errors[0]?.message;
  return (
    <form onSubmit={submit}>
      <h1>Sign in</h1>
      <label>Username <input name="username" /></label>
      <label>Password <input name="password" type="password" /></label>
      <button>Sign in</button>
      {refusal && <p role="alert">{refusal}</p>}
    </form>
  );
}

const dayFromNow = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

function Time() {
  const queries = useQueryClient();
  const time = useQuery({ queryKey: ["time"], queryFn: () => client.request(TIME) });
  const log = useMutation({
    mutationFn: (input) => client.request(LOG, { input }),
    onSuccess: ({ timeLogEntryAdd }) =>
      timeLogEntryAdd.errors.length ? undefined : queries.invalidateQueries({ queryKey: ["time"] }),
  });
  if (!time.data) return <p>Loading</p>;
  const { user, learner } = time.data.viewer;
  const entry = { learnerId: learner.id, minutes: 30, activityType: "COACHING_OR_MENTORING", comments: "Wheel bearings." };
  const [refused] = log.data?.timeLogEntryAdd.errors ?? [];
  return (
    <main>
      <h1>{user.name}</h1>
      <p role="status">{learner.offTheJob.actualMinutes} minutes</p>
      <ul>{learner.timeLog.nodes.map(({ id, comments }) => <li key={id}>{comments}</li>)}</ul>
      <button onClick={() => log.mutate({ ...entry, date: dayFromNow(-1) })}>Log 30 minutes of yesterday</button>
      <button onClick={() => log.mutate({ ...entry, date: dayFromNow(9) })}>Log 30 minutes of next week</button>
      {refused && <p role="alert">{refused.reason}: {refused.message}</p>}
    </main>
  );
}

function Page() {
  const [token, setToken] = useState(stored());
  const [queries] = useState(() => new QueryClient({
    defaultOptions: { queries: { retry: false } },
    queryCache: new QueryCache({ onError: (error) => codeOf(error) === "UNAUTHENTICATED" && signOut(setToken) }),
  }));
  return (
    <QueryClientProvider client={queries}>{token ? <Time /> : <SignIn onToken={setToken} />}</QueryClientProvider>
  );
}

createRoot(document.getElementById("root")).render(<Page />);
