// The page: the sign-in form above GraphiQL, and the fetcher with which GraphiQL sends operations.
"use strict";

// A storage for GraphiQL that lasts as long as the page: results may be personal, and variables contain passwords.
const memoryStorage = () => {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
    clear: () => items.clear(),
    get length() { return items.size; },
  };
};

// Yields the results of an event stream until it is complete.
async function* readEvents(response) {
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
      if (response.ok) yield* readEvents(response);
      else yield await response.json();
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  const source = run();
  return {
    next: () => source.next(),
    // Called by GraphiQL's stop button. Aborting the request also ends the stream on the server.
    return: () => { stop.abort(); return source.return(); },
    [Symbol.asyncIterator]() { return this; },
  };
};

// A new fetcher makes GraphiQL load the schema again, which may be available to signed-in users only.
const makeFetcher = () => (body, { headers = {}, documentAST } = {}) => {
  const operations = documentAST?.definitions.filter((node) => node.kind === "OperationDefinition") ?? [];
  const operation = operations.find((node) => node.name?.value === body.operationName) ?? operations[0];
  if (operation?.operation === "subscription") return subscribe(body, headers);
  return tokens.send(body, headers).then((response) => response.json());
};

const main = async () => {
  const { samples, greeting } = await (await fetch("/graphiql/samples.json")).json();
  const find = (selector) => document.querySelector(selector);
  const showMessage = (message) => { find("#message").textContent = message; };
  const root = ReactDOM.createRoot(find("#graphiql"));
  const props = { fetcher: makeFetcher(), storage: memoryStorage(), defaultQuery: greeting };
  const render = (changes) => root.render(React.createElement(GraphiQL, Object.assign(props, changes)));
  const open = ({ query, variables }) => render({ query, variables: JSON.stringify(variables, null, 2) });
  props.plugins = [samplesPlugin(samples, open)];

  const showUser = (user) => {
    find("#sign-in").hidden = Boolean(user);
    find("#user").hidden = !user;
    find("#user span").textContent = user;
    render({ fetcher: makeFetcher() });
  };

  tokens.onSessionEnd((message) => { showUser(""); showMessage(message); });
  find("#sign-in").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { username, password } = event.target.elements;
    showMessage("");
    try {
      const viewer = await tokens.signIn(username.value, password.value);
      password.value = "";
      showUser(`${viewer.user.name}, ${viewer.role}`);
      if (viewer.mustChangePassword) showMessage("First change your password: run the sample password_change.");
      else if (viewer.mustAcceptDisclaimer)
        showMessage("First accept the disclaimer: run the sample disclaimer_accept.");
    } catch (error) {
      showMessage(error.message);
    }
  });
  find("#sign-out").addEventListener("click", async () => {
    await tokens.signOut().catch((error) => showMessage(error.message));
    showUser("");
  });
  render({});
};

main();
