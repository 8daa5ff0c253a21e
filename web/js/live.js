// What changes elsewhere, as it changes: event streams of saved subscriptions, open while somebody looks at the page.

import { stream } from "./graph.js";
import { asSignedIn, renew, session } from "./session.js";

// The server sends a sign of life every twelve seconds; a line that is silent for longer is dead.
const SILENCE = 40_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** Whether every stream is open at this moment. */
export const live = () => following.size > 0 && [...following].every((follower) => follower.open);

const following = new Set();

/** Follows the subscriptions {name: (data) => void} until `stop()`; `moved()` is called when one opens or breaks. */
export function follow(subscriptions, moved) {
  const stops = Object.entries(subscriptions).map(([name, take]) => followOne(name, take, moved));
  return () => stops.forEach((stop) => stop());
}

function followOne(name, take, moved) {
  const ending = new AbortController();
  const follower = { open: false };
  following.add(follower);
  run();
  return () => {
    following.delete(follower);
    ending.abort();
  };

  async function run() {
    let pause = FIRST_PAUSE;
    while (!ending.signal.aborted && session !== null) {
      const line = new AbortController();
      const cut = () => line.abort();
      ending.signal.addEventListener("abort", cut);
      try {
        const token = session.accessToken;
        const answer = await asSignedIn((good) => stream(name, good, line.signal));
        set(true);
        const ended = await readEvents(answer.body, cut, (event) => {
          pause = FIRST_PAUSE;
          if (event.data) take(event.data);
        });
        if (ended === "UNAUTHENTICATED") await renew(token);
      } catch {
        // Whatever broke it, it is tried again below; what matters to the person is told by the queries.
      } finally {
        ending.signal.removeEventListener("abort", cut);
        line.abort();
        set(false);
      }
      await rest(pause * (0.7 + Math.random() * 0.6), ending.signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  function set(open) {
    if (follower.open === open) return;
    follower.open = open;
    if (!ending.signal.aborted) moved();
  }
}

/** Reads events until the stream ends; gives the code of the error that it ended with, where there was one. */
async function readEvents(body, cut, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let code = null;
  for (;;) {
    const silence = setTimeout(cut, SILENCE);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return code;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trim())
        .join("\n");
      if (!data) continue;
      const answer = JSON.parse(data);
      code = answer.errors?.[0]?.extensions?.code ?? null;
      take(answer);
    }
  }
}

function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
