// What is shown: the form to sign in, or the learners.
import { useSyncExternalStore } from "react";

import { Learners } from "./Learners";
import { SignIn } from "./SignIn";
import { currentSession, onSessionChange, signOut } from "./session";

export function App() {
  // Follows the session in every tab: signing out in one of them signs out in all.
  const session = useSyncExternalStore(onSessionChange, currentSession);
  if (session === null) return <SignIn />;
  return (
    <>
      <header>
        <span>{session.name}</span>
        <button onClick={signOut}>Sign out</button>
      </header>
      <Learners key={session.name} />
    </>
  );
}
