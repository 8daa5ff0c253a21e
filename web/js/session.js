// Who is signed in on this device: tokens, their renewal (one refresh token is good for one renewal, however many tabs
// are open), the first steps of a new login, and signing out.

import { forgetAnswers } from "./answers.js";
import { mutate, query, Refused } from "./graph.js";
import { keep, read, wipe } from "./kept.js";

/** {accessToken, refreshToken, viewer} or null; viewer: id, name, role, disclaimer, and what has to be done first. */
export let session = null;

const ROLES = ["EMPLOYER_OVERVIEW", "EMPLOYER_MANAGER"];
const tabs = "BroadcastChannel" in self ? new BroadcastChannel("waymark-kpi") : null;
let changed = () => {};
let renewing = null;

/** Reads the sign-in kept on this device; `then` is called whenever it changes, here or in another tab. */
export async function resume(then) {
  changed = then;
  session = (await read("session", "current")) ?? null;
  if (tabs) {
    tabs.onmessage = async () => {
      const before = session?.viewer.id;
      session = (await read("session", "current")) ?? null;
      if (session?.viewer.id !== before) forgetAnswers();
      changed();
    };
  }
}

/** Signs in as an employer. Gives null, or the sentence that says why not. Raises Offline or Refused. */
export async function signIn(username, password) {
  let refusal = null;
  // The role is asked for by name, so that a login without one of the two begins no sign-in at all.
  for (const role of ROLES) {
    const { login } = await mutate("sign_in", { username, password, role });
    if (login.errors.length === 0) {
      await begin(login);
      return null;
    }
    [refusal] = login.errors;
    if (refusal.code !== "NOT_ALLOWED") return refusal.message;
  }
  return "This app is for employers. Your login has another role: please use Waymark itself.";
}

/** Changes the password. Gives {} or the refusal {field, message}. */
export async function changePassword(currentPassword, newPassword) {
  const { passwordChange } = await asSignedIn((token) =>
    mutate("password_change", { currentPassword, newPassword }, token),
  );
  if (passwordChange.errors.length > 0) {
    const [{ field, message }] = passwordChange.errors;
    return { field: field?.at(-1), message };
  }
  await begin(passwordChange);
  return {};
}

/** Accepts the disclaimer. Gives null or the sentence that says why not. */
export async function acceptDisclaimer() {
  const { disclaimerAccept } = await asSignedIn((token) => mutate("disclaimer_accept", {}, token));
  if (disclaimerAccept.errors.length > 0) return disclaimerAccept.errors[0].message;
  await change({ ...session, viewer: { ...session.viewer, ...disclaimerAccept.viewer } });
  return null;
}

/** Signs out: on the server where it can be reached, and on this device in any case, with everything kept here. */
export async function signOut() {
  const { refreshToken } = session ?? {};
  const told = refreshToken ? mutate("log_out", { refreshToken }).catch(() => undefined) : null;
  await exclusively(() => end());
  await told;
}

/** Runs `work(accessToken)`; where the token is no longer good, once more with a new one. Raises as `work` does. */
export async function asSignedIn(work) {
  if (session === null) throw new Refused("UNAUTHENTICATED", "Please sign in.");
  const token = session.accessToken;
  try {
    return await work(token);
  } catch (error) {
    if (error.code === "PASSWORD_CHANGE_REQUIRED" || error.code === "DISCLAIMER_REQUIRED") await heldBack(error.code);
    if (error.code !== "UNAUTHENTICATED") throw error;
  }
  await renew(token);
  return work(session.accessToken);
}

/** A saved query as whoever is signed in. */
export function ask(name, variables, etag) {
  return asSignedIn((token) => query(name, variables, token, etag));
}

/** New tokens for those that `stale` belongs to, unless another caller or tab has them already. */
export function renew(stale) {
  renewing ??= exclusively(() => renewAlone(stale)).finally(() => (renewing = null));
  return renewing;
}

async function renewAlone(stale) {
  const kept = (await read("session", "current")) ?? null;
  if (kept && kept.accessToken !== stale) {
    session = kept;
    return;
  }
  if (kept) {
    const { tokenRefresh } = await mutate("token_refresh", { refreshToken: kept.refreshToken });
    if (tokenRefresh.errors.length === 0) {
      const { accessToken, refreshToken, viewer } = tokenRefresh;
      await change({ accessToken, refreshToken, viewer: { ...kept.viewer, ...viewer } });
      return;
    }
  }
  await end("Your sign-in has ended. Please sign in again.");
  throw new Refused("UNAUTHENTICATED", "Your sign-in has ended.");
}

function exclusively(work) {
  // Outside a secure context there are no locks; the page alone is then all that can be guarded.
  return navigator.locks ? navigator.locks.request("waymark-kpi-tokens", work) : work();
}

async function begin({ accessToken, refreshToken, viewer: { user, ...viewer } }) {
  if (session?.viewer.id !== user.id) await forgetAnswers();
  await change({ accessToken, refreshToken, viewer: { ...viewer, id: user.id, name: user.name } });
}

async function heldBack(code) {
  const viewer = { ...session.viewer };
  if (code === "PASSWORD_CHANGE_REQUIRED") viewer.mustChangePassword = true;
  else viewer.mustAcceptDisclaimer = true;
  await change({ ...session, viewer });
}

async function change(next) {
  session = next;
  await keep("session", "current", next);
  tabs?.postMessage("changed");
  changed();
}

async function end(why = null) {
  session = null;
  await wipe("session");
  await forgetAnswers();
  tabs?.postMessage("changed");
  changed(why);
}
