// The session: tokens, kept in this page's memory only, and the requests that carry them.
"use strict";

const tokens = (() => {
  const LOGIN = `mutation SignIn($input: LoginInput!) { login(input: $input) { ...Tokens } }
fragment Tokens on TokenPayload { accessToken refreshToken errors { message }
  viewer { role mustChangePassword mustAcceptDisclaimer user { name } } }`;
  const REFRESH = `mutation Refresh($refreshToken: String!) { tokenRefresh(refreshToken: $refreshToken) {
  accessToken refreshToken errors { message } } }`;
  const LOGOUT = `mutation SignOut($refreshToken: String!) { logout(refreshToken: $refreshToken) {
  errors { message } } }`;
  // Tokens are refreshed this long before they expire, in case this device's clock is slow.
  const EARLY_SECONDS = 60;

  let session = null;
  let refreshing = null;
  let sessionEndListener = () => {};

  const expiryOf = (accessToken) => {
    const claims = accessToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).exp;
  };

  const post = (body, headers, signal) =>
    fetch("/graphql", {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });

  const run = async (query, variables) => {
    const { data, errors } = await (await post({ query, variables }, {})).json();
    const payload = data && Object.values(data)[0];
    const error = (errors || payload.errors)[0];
    if (error) throw new Error(error.message);
    return payload;
  };

  // A refresh token can be used once, so requests at the same time share one refresh.
  const refresh = () => {
    refreshing ??= run(REFRESH, { refreshToken: session.refreshToken })
      .then((payload) => { session = payload; })
      .catch((error) => { session = null; sessionEndListener(error.message); })
      .finally(() => { refreshing = null; });
    return refreshing;
  };

  return {
    onSessionEnd(listener) { sessionEndListener = listener; },
    async signIn(username, password) {
      session = await run(LOGIN, { input: { username, password } });
      return session.viewer;
    },
    async signOut() {
      const { refreshToken } = session;
      session = null;
      await run(LOGOUT, { refreshToken });
    },
    // Sends an operation as the signed-in user. Headers from GraphiQL's own editor override the page's.
    async send(body, headers = {}, signal) {
      if (session && expiryOf(session.accessToken) < Date.now() / 1000 + EARLY_SECONDS) await refresh();
      const authorization = session ? { authorization: `Bearer ${session.accessToken}` } : {};
      return post(body, { ...authorization, ...headers }, signal);
    },
  };
})();
