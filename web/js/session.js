// The session on this device: tokens, their renewal, the required steps of a new user, and signing out. A refresh token
// can be used once, however many tabs are open.

import { mutate, query, ServerError } from "./graphql.js";
import { unsubscribe } from "./push_device.js";
import { clearCache } from "./query_cache.js";
import { APP, clear, read, write } from "./storage.js";

/** {accessToken, refreshToken, viewer} or null; viewer: id, name, role, disclaimer and the required steps. */
export let session = null;

// The employer app is for employers; elsewhere a user signs in in the role that they choose, or their first one.
const ROLES = APP === "kpi" ? ["EMPLOYER_OVERVIEW", "EMPLOYER_MANAGER"] : [null];
const DEVICE_TOKEN = "waymark-device-token";
const tabs = "BroadcastChannel" in self ? new BroadcastChannel(`waymark-${APP}`) : null;
let onChange = () => {};
let renewing = null;

/** Restores the session stored on this device. `listener` is called when it changes, here or in another tab. */
export async function restoreSession(listener) {
  onChange = listener;
  session = (await read("session", "current")) ?? null;
  if (tabs) {
    tabs.onmessage = async () => {
      const before = session?.viewer.id;
      session = (await read("session", "current")) ?? null;
      if (session?.viewer.id !== before) clearCache();
      onChange();
    };
  }
}

/**
 * Signs in. Returns {}, or {message} that says why not; {codeRequired: true} where a code of the second
 * factor is missing or wrong; {trainingProviders} where the user has to choose one of them.
 */
export function signIn(username, password, code = null, trainingProvider = null, chosenRole = null) {
  return inFirstRole(chosenRole, async (role) => {
    const variables = { username, password, role, deviceToken: deviceToken(), code, trainingProvider };
    const { login } = await mutate("sign_in", variables);
    if (login.errors.length === 0) keepDeviceToken(login.deviceToken);
    return login;
  });
}

/** Signs in with what an identity provider has returned. Returns what `signIn` returns. */
export function signInWithProvider(input, secondFactorCode = null) {
  return inFirstRole(null, async (role) => {
    const variables = { input: { ...input, role, secondFactorCode } };
    return (await mutate("sign_in_with_provider", variables)).loginWithProvider;
  });
}

/** Signs in with `send(role)` in the chosen role, or in the first of the app's roles that the user holds. The
 * employer app names its roles, so that no session is started for a user who is not an employer. */
async function inFirstRole(chosen, send) {
  for (const role of chosen ? [chosen] : ROLES) {
    const payload = await send(role);
    if (payload.errors.length === 0) {
      await startSession(payload);
      return {};
    }
    const [{ code, field, message }] = payload.errors;
    const codeRequired = payload.secondFactorRequired || ["code", "secondFactorCode"].includes(field?.at(-1));
    if (code !== "NOT_ALLOWED" || APP !== "kpi")
      return { message, codeRequired, trainingProviders: payload.trainingProviders };
  }
  return { message: "This app is for employers. Your account has another role: please sign in to Waymark itself." };
}

// The token of a known device. It gives no access, and stays after a sign-out: with it, wrong passwords that others
// enter do not lock this device out.
function deviceToken() {
  try {
    return localStorage.getItem(DEVICE_TOKEN);
  } catch {
    return null;
  }
}

function keepDeviceToken(token) {
  try {
    localStorage.setItem(DEVICE_TOKEN, token);
  } catch {
    // Some private windows keep nothing: the next sign-in is that of an unknown device.
  }
}

/** Changes the password. Returns {}, or the error as {field, message}. */
export async function changePassword(currentPassword, newPassword) {
  const { passwordChange } = await withToken((token) =>
    mutate("password_change", { currentPassword, newPassword }, token),
  );
  if (passwordChange.errors.length > 0) {
    const [{ field, message }] = passwordChange.errors;
    return { field: field?.at(-1), message };
  }
  await startSession(passwordChange);
  return {};
}

/** Accepts the disclaimer. Returns null, or the message that says why not. */
export async function acceptDisclaimer() {
  const { disclaimerAccept } = await withToken((token) => mutate("disclaimer_accept", {}, token));
  if (disclaimerAccept.errors.length > 0) return disclaimerAccept.errors[0].message;
  await setSession({ ...session, viewer: { ...session.viewer, ...disclaimerAccept.viewer } });
  return null;
}

/** Requests a code by e-mail that confirms one signature. Returns {sentTo}, or {message} that says why not. */
export async function requestSigningCode() {
  const { signingCodeRequest } = await withToken((token) => mutate("signing_code_request", {}, token));
  const { errors, sentTo } = signingCodeRequest;
  return errors.length > 0 ? errors[0] : { sentTo };
}

/** Begins to set up a second factor. Returns {uri} for the authenticator app, or {message} that says why not. */
export async function beginSecondFactor(password) {
  const { secondFactorEnrol } = await withToken((token) => mutate("second_factor_enrol", { password }, token));
  return secondFactorEnrol.errors.length > 0 ? secondFactorEnrol.errors[0] : { uri: secondFactorEnrol.uri };
}

/** Confirms the second factor. Returns {recoveryCodes}, or {message} that says why not. */
export async function confirmSecondFactor(code) {
  const { secondFactorConfirm } = await withToken((token) => mutate("second_factor_confirm", { code }, token));
  const { errors, recoveryCodes } = secondFactorConfirm;
  return errors.length > 0 ? errors[0] : { recoveryCodes };
}

/** Ends the set-up, once the recovery codes have been read. */
export function finishSecondFactor() {
  return setSession({ ...session, viewer: { ...session.viewer, mustSetUpSecondFactor: false } });
}

/** Signs out on the server, if it can be reached; in any case deletes the session and the responses on this device. */
export async function signOut() {
  const { refreshToken } = session ?? {};
  const sent = refreshToken ? mutate("log_out", { refreshToken }).catch(() => undefined) : null;
  await withLock(() => endSession());
  await unsubscribe().catch(() => undefined);
  await sent;
}

/** Runs `work(accessToken)`, and runs it again with a new token if the token has expired. */
export async function withToken(work) {
  if (session === null) throw new ServerError("UNAUTHENTICATED", "Please sign in.");
  const token = session.accessToken;
  try {
    return await work(token);
  } catch (error) {
    if (error.code === "PASSWORD_CHANGE_REQUIRED") await requireStep("mustChangePassword");
    if (error.code === "DISCLAIMER_REQUIRED") await requireStep("mustAcceptDisclaimer");
    if (error.code === "SECOND_FACTOR_REQUIRED") await requireStep("mustSetUpSecondFactor");
    if (error.code !== "UNAUTHENTICATED") throw error;
  }
  await renewTokens(token);
  return work(session.accessToken);
}

/** Runs a saved query as the signed-in user. */
export function runQuery(name, variables, etag) {
  return withToken((token) => query(name, variables, token, etag));
}

/** Replaces the expired token `staleToken`, unless another caller or tab has already replaced it. */
export function renewTokens(staleToken) {
  renewing ??= withLock(() => renewLocked(staleToken)).finally(() => (renewing = null));
  return renewing;
}

async function renewLocked(staleToken) {
  const stored = (await read("session", "current")) ?? null;
  if (stored && stored.accessToken !== staleToken) {
    session = stored;
    return;
  }
  if (stored) {
    const { tokenRefresh } = await mutate("token_refresh", { refreshToken: stored.refreshToken });
    if (tokenRefresh.errors.length === 0) {
      const { accessToken, refreshToken, viewer } = tokenRefresh;
      await setSession({ accessToken, refreshToken, viewer: { ...stored.viewer, ...viewer } });
      return;
    }
  }
  await endSession("You have been signed out. Please sign in again.");
  throw new ServerError("UNAUTHENTICATED", "You have been signed out.");
}

function withLock(work) {
  // Locks need a secure context. Without one, only the callers in this tab are kept apart.
  return navigator.locks ? navigator.locks.request(`waymark-${APP}-tokens`, work) : work();
}

async function startSession({ accessToken, refreshToken, viewer: { user, ...viewer } }) {
  if (session?.viewer.id !== user.id) await clearCache();
  await setSession({ accessToken, refreshToken, viewer: { ...viewer, id: user.id, name: user.name } });
}

async function requireStep(step) {
  await setSession({ ...session, viewer: { ...session.viewer, [step]: true } });
}

async function setSession(next) {
  session = next;
  await write("session", "current", next);
  tabs?.postMessage("changed");
  onChange();
}

async function endSession(reason = null) {
  session = null;
  await clear("session");
  await clearCache();
  tabs?.postMessage("changed");
  onChange(reason);
}
