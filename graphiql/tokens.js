// Who is signed in: the tokens, kept in this page's memory alone, and every request to the graph that carries them.
"use strict";

const tokens = (() => {
  const LOGIN = `mutation SignIn($input: LoginInput!) { login(input: $input) { ...Signed } }
fragment Signed on TokenPayload { accessToken refreshToken errors { message }
  viewer { role mustChangePassword mustAcceptDisclaimer user { name } } }`;
  const REFRESH = `mutation Refresh($refreshToken: String!) { tokenRefresh(refreshToken: $refreshToken) {
  accessToken refreshToken errors { message } } }`;
  const LOGOUT = `mutation SignOut($refreshToken: String!) { logout(refreshToken: $refreshToken) {
  errors { message } } }`;
  // Refreshed a little before it ends, so that no answer is lost to a clock that runs late.
  const EARLY_SECONDS = 60;

  let held = null;
  let refreshing = null;
  let whenEnded = () => {};

  const ends = (accessToken) => {
    const claims = accessToken.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).exp;
  };

  const send = (body, headers, signal) =>
    fetch("/graphql", {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });

  const run = async (query, variables) => {
    const { data, errors } = await (await send({ query, variables }, {})).json();
    const payload = data && Object.values(data)[0];
    const fault = (errors || payload.errors)[0];
    if (fault) throw new Error(fault.message);
    return payload;
  };

  // A refresh token is good for once: however many requests wait for new tokens, one asks.
  const refresh = () => {
    refreshing ??= run(REFRESH, { refreshToken: held.refreshToken })
      .then((payload) => { held = payload; })
      .catch((error) => { held = null; whenEnded(error.message); })
      .finally(() => { refreshing = null; });
    return refreshing;
  };

  return {
    onEnd(tell) { whenEnded = tell; },
    async signIn(username, password) {
      held = await run(LOGIN, { input: { username, password } });
      return held.viewer;
    },
    async signOut() {
      const { refreshToken } = held;
      held = null;
      await run(LOGOUT, { refreshToken });
    },
    // Sends an operation as whoever is signed in. A header that GraphiQL's own editor sets goes before ours.
    async send(body, headers = {}, signal) {
      if (held && ends(held.accessToken) < Date.now() / 1000 + EARLY_SECONDS) await refresh();
      const own = held ? { authorization: `Bearer ${held.accessToken}` } : {};
      return send(body, { ...own, ...headers }, signal);
    },
  };
})();
