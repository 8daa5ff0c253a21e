// The form to sign in.
import { useState, type FormEvent } from "react";

import { signIn } from "./session";

export function SignIn() {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    try {
      setProblem((await signIn(String(form.get("username")), String(form.get("password")))) ?? "");
    } catch (error) {
      setProblem(`Waymark does not answer: ${error instanceof Error ? error.message : error}`);
    } finally {
      setBusy(false);
    }
  }

  return (
    <main>
      <h1>Sign in</h1>
      <form onSubmit={submit}>
        <label>
          Username <input name="username" autoComplete="username" required />
        </label>
        <label>
          Password <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button disabled={busy}>Sign in</button>
        <p role="alert">{problem}</p>
      </form>
    </main>
  );
}
