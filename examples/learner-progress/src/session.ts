// The session, which all tabs of this origin share. It is in localStorage, which scripts of other pages cannot read.
import { graphql } from "./gql";
import type { TypedDocumentString } from "./gql/graphql";
import { send, ServerError } from "./graphql";
import { forgetRenewal, keepRenewal, lastRenewal } from "./renewal";

const SIGN_IN = graphql(`
  mutation StarterSignIn($input: LoginInput!) {
    login(input: $input) {
      accessToken
      refreshToken
      deviceToken
      viewer { mustChangePassword mustAcceptDisclaimer mustSetUpSecondFactor user { id name } }
      errors { code field message }
    }
  }
`);
const REFRESH = graphql(`
  mutation StarterRefresh($refreshToken: String!) {
    tokenRefresh(refreshToken: $refreshToken) { accessToken refreshToken errors { code message } }
  }
`);
const SIGN_OUT = graphql(`
  mutation StarterSignOut($refreshToken: String!) { logout(refreshToken: $refreshToken) { errors { code } } }
`);

export interface Session {
  name: string;
  accessToken: string;
  refreshToken: string;
}

const SESSION = "waymark-session";
// With it, wrong passwords that others send do not lock this device out. It opens nothing, and stays after signing out.
const DEVICE = "waymark-device";
const listeners = new Set<() => void>();
let parsed: { text: string | null; session: Session | null } = { text: null, session: null };

/** The session as it is stored now, whatever tab has changed it last; null without one. */
export function currentSession(): Session | null {
  const text = localStorage.getItem(SESSION);
  if (text !== parsed.text) parsed = { text, session: text === null ? null : JSON.parse(text) };
  return parsed.session;
}

/** Calls `listener` when the session changes, here or in another tab. Returns the function that ends this. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

function store(session: Session | null): void {
  if (session === null) localStorage.removeItem(SESSION);
  else localStorage.setItem(SESSION, JSON.stringify(session));
  for (const listener of listeners) listener();
}

/** Signs in. Returns null, or the message that says why not. */
export async function signIn(username: string, password: string): Promise<string | null> {
  const deviceToken = localStorage.getItem(DEVICE);
  const { login } = await send(SIGN_IN, { input: { username, password, deviceToken } });
  const { accessToken, refreshToken, viewer } = login;
  if (!accessToken || !refreshToken || !viewer) {
    return login.errors.map((error) => error.message).join(" ");
  }
  if (login.deviceToken) localStorage.setItem(DEVICE, login.deviceToken);
  if (viewer.mustChangePassword || viewer.mustAcceptDisclaimer || viewer.mustSetUpSecondFactor) {
    await send(SIGN_OUT, { refreshToken });
    return "There is a step to complete first. Sign in to the employer app or GraphiQL once.";
  }
  store({ name: viewer.user.name, accessToken, refreshToken });
  return null;
}

/** Ends the session, here and in the other tabs. */
export async function signOut(): Promise<void> {
  const session = await navigator.locks.request(SESSION, () => {
    const ended = currentSession();
    store(null);
    void forgetRenewal();
    return ended;
  });
  if (session) await send(SIGN_OUT, { refreshToken: session.refreshToken }).catch(() => undefined);
}

/** Sends an operation in the session. If the access token has expired, the session is renewed once. */
export async function query<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const used = currentSession()?.accessToken ?? "";
  try {
    return await send(document, variables, { authorization: `Bearer ${used}` });
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== "UNAUTHENTICATED") throw error;
    const renewed = await renew(used);
    if (renewed === null) throw error;
    return send(document, variables, { authorization: `Bearer ${renewed}` });
  }
}

// A refresh token is valid once, so one tab at a time renews the session, and the others find its result.
async function renew(expired: string): Promise<string | null> {
  return navigator.locks.request(SESSION, async () => {
    const session = currentSession();
    if (session === null || session.accessToken !== expired) return session?.accessToken ?? null;
    // What another tab has stored can come to localStorage here a moment after the lock.
    const last = await lastRenewal();
    if (last?.of === session.refreshToken) {
      store(last.session);
      return last.session.accessToken;
    }
    // The key makes the same request safe to repeat, if its answer was lost.
    const headers = { "idempotency-key": crypto.randomUUID() };
    const refresh = () => send(REFRESH, { refreshToken: session.refreshToken }, headers);
    const { tokenRefresh } = await refresh().catch((error) => {
      if (error instanceof ServerError) throw error;
      return refresh();
    });
    const { accessToken, refreshToken } = tokenRefresh;
    if (!accessToken || !refreshToken) {
      store(null);
      return null;
    }
    const renewed = { ...session, accessToken, refreshToken };
    await keepRenewal({ of: session.refreshToken, session: renewed });
    store(renewed);
    return accessToken;
  });
}
