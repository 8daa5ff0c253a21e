// The page: the sign-in above GraphiQL, and the fetcher that GraphiQL asks the graph with, streams included.
"use strict";

// What one looks at here may be personal, and variables hold passwords: nothing outlives the page.
const memory = () => {
  const kept = new Map();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
    clear: () => kept.clear(),
    get length() { return kept.size; },
  };
};

// The answers of an event stream, one after another, until it is complete.
async function* answers(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      if (event.startsWith("event: complete")) return;
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6));
    }
  }
}

const subscribe = (body, headers) => {
  const stop = new AbortController();
  const run = async function* () {
    try {
      const response = await tokens.send(body, { ...headers, accept: "text/event-stream" }, stop.signal);
      if (response.ok) yield* answers(response);
      else yield await response.json();
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  const source = run();
  return {
    next: () => source.next(),
    // GraphiQL's stop button: the read that waits for the next event is given up, which ends the stream here and there.
    return: () => { stop.abort(); return source.return(); },
    [Symbol.asyncIterator]() { return this; },
  };
};

// A new function for each sign-in: GraphiQL then reads the schema again, which strangers may not be shown.
const makeFetcher = () => (body, { headers = {}, documentAST } = {}) => {
  const operations = documentAST?.definitions.filter((node) => node.kind === "OperationDefinition") ?? [];
  const running = operations.find((node) => node.name?.value === body.operationName) ?? operations[0];
  if (running?.operation === "subscription") return subscribe(body, headers);
  return tokens.send(body, headers).then((response) => response.json());
};

const main = async () => {
  const { samples, greeting } = await (await fetch("/graphiql/samples.json")).json();
  const find = (selector) => document.querySelector(selector);
  const say = (words) => { find("#say").textContent = words; };
  const root = ReactDOM.createRoot(find("#graphiql"));
  const state = { fetcher: makeFetcher(), storage: memory(), defaultQuery: greeting };
  const open = ({ query, variables }) => show({ query, variables: JSON.stringify(variables, null, 2) });
  state.plugins = [samplesPlugin(samples, open)];
  const show = (change) => root.render(React.createElement(GraphiQL, Object.assign(state, change)));

  const who = (words) => {
    find("#sign-in").hidden = Boolean(words);
    find("#who").hidden = !words;
    find("#who span").textContent = words;
    show({ fetcher: makeFetcher() });
  };

  tokens.onEnd((message) => { who(""); say(message); });
  find("#sign-in").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { username, password } = event.target.elements;
    say("");
    try {
      const viewer = await tokens.signIn(username.value, password.value);
      password.value = "";
      who(`${viewer.user.name}, ${viewer.role}`);
      if (viewer.mustChangePassword) say("First choose a password of your own: password_change of the samples.");
      else if (viewer.mustAcceptDisclaimer) say("First accept the disclaimer: disclaimer_accept of the samples.");
    } catch (error) {
      say(error.message);
    }
  });
  find("#sign-out").addEventListener("click", async () => {
    await tokens.signOut().catch((error) => say(error.message));
    who("");
  });
  show({});
};

main();
