// Signing in through an identity provider (OpenID Connect, authorization code with PKCE): the redirect to it, and the
// return from it.

import { query } from "./graphql.js";

const STORED = "waymark-identity";
// The address to which the identity provider returns the user; the operator has registered it there.
const REDIRECT = new URL("./", location.href).href.replace(/[?#].*/, "");

/** Returns the identity providers: id, name, authorizationUrl. Browsers can use them in a secure context only. */
export async function identityProviders() {
  if (!crypto.subtle) return [];
  const { data } = await query("identity_providers", {});
  return data.identityProviders;
}

/** Leaves the app for the sign-in page of an identity provider. */
export async function redirectTo(id) {
  // Read again: an address is valid for 30 minutes, and this page may have been open for longer.
  const provider = (await identityProviders()).find((each) => each.id === id);
  if (!provider) throw new Error("This way to sign in is no longer available. Please reload the page.");
  const codeVerifier = encoded(crypto.getRandomValues(new Uint8Array(48)));
  const challenge = encoded(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier))),
  );
  const url = new URL(provider.authorizationUrl);
  sessionStorage.setItem(STORED, JSON.stringify({ id, codeVerifier, state: url.searchParams.get("state") }));
  url.searchParams.set("redirect_uri", REDIRECT);
  url.searchParams.set("code_challenge", challenge);
  location.assign(url);
}

/**
 * Returns what the identity provider sent the user back with: {input} of the mutation, {message} that says why it did
 * not sign them in, or null where the user does not come from one.
 */
export function readReturn() {
  const params = new URLSearchParams(location.search);
  if (!params.has("state")) return null;
  history.replaceState(history.state, "", location.pathname);
  const begun = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
  sessionStorage.removeItem(STORED);
  if (begun?.state !== params.get("state"))
    return { message: "This sign-in was not begun in this window. Please sign in again." };
  if (!params.has("code")) return { message: "You were not signed in there. Please try again." };
  return {
    input: {
      providerId: begun.id,
      code: params.get("code"),
      state: begun.state,
      codeVerifier: begun.codeVerifier,
      redirectUri: REDIRECT,
    },
  };
}

function encoded(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
