// Event streams of saved subscriptions, open while the page is visible. Browsers open six connections to a server over
// HTTP/1.1, so the streams of one tab serve every tab of the device.

import { openStream } from "./graphql.js";
import { renewTokens, session, withToken } from "./session.js";
import { APP } from "./storage.js";

// The server sends a heartbeat every twelve seconds; a stream that is silent for longer than this is closed.
const SILENCE_TIMEOUT = 40_000;
const FIRST_RETRY_DELAY = 1_000;
const MAX_RETRY_DELAY = 30_000;

const SHARED = `waymark-${APP}-streams`;
const tabs = "BroadcastChannel" in self ? new BroadcastChannel(SHARED) : null;
// The streams of this tab; `served`: whether another tab has open streams and passes on what they send.
const active = new Set();
let served = false;

/** Returns whether every stream is open. */
export const isLive = () => served || (active.size > 0 && [...active].every((stream) => stream.open));

/** Opens the subscriptions {name: (data) => void} and returns a function that closes them.
 *
 * `onStateChange()` is called when a stream opens or breaks. A broken stream is opened again after a delay. */
export function subscribe(subscriptions, onStateChange) {
  const { id } = session.viewer;
  const stopping = new AbortController();
  const tell = (message) => tabs?.postMessage({ id, ...message });
  const setServed = (open) => {
    if (served === open) return;
    served = open;
    onStateChange();
  };
  const receive = ({ data: { id: viewer, asks, open, name, data } }) => {
    if (viewer !== id) return;
    if (asks) active.size > 0 && tell({ open: isLive() });
    else if (name) subscriptions[name](data);
    else setServed(open);
  };
  tabs?.addEventListener("message", receive, { signal: stopping.signal });
  asLeader(stopping.signal, () => {
    setServed(false);
    const stops = Object.entries(subscriptions).map(([name, onData]) =>
      subscribeOne(
        name,
        (data) => {
          tell({ name, data });
          onData(data);
        },
        () => {
          tell({ open: isLive() });
          onStateChange();
        },
      ),
    );
    return () => {
      stops.forEach((stop) => stop());
      tell({ open: false });
    };
  });
  tell({ asks: true });
  return () => {
    stopping.abort();
    served = false;
  };
}

/** Calls `begin()` once this tab is the one that has the streams; when the signal is aborted, calls what it
 * returned. */
function asLeader(signal, begin) {
  const work = () => {
    if (signal.aborted) return null;
    const end = begin();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(end())));
  };
  // Locks need a secure context. Without one, each tab has streams of its own.
  if (!navigator.locks) work();
  else navigator.locks.request(SHARED, { signal }, work).catch(() => undefined);
}

function subscribeOne(name, onData, onStateChange) {
  const stopping = new AbortController();
  const stream = { open: false };
  active.add(stream);
  run();
  return () => {
    active.delete(stream);
    stopping.abort();
  };

  async function run() {
    let delay = FIRST_RETRY_DELAY;
    while (!stopping.signal.aborted && session !== null) {
      const connection = new AbortController();
      const close = () => connection.abort();
      stopping.signal.addEventListener("abort", close);
      try {
        const token = session.accessToken;
        const response = await withToken((current) => openStream(name, current, connection.signal));
        setOpen(true);
        const code = await readEvents(response.body, close, (event) => {
          delay = FIRST_RETRY_DELAY;
          if (event.data) onData(event.data);
        });
        if (code === "UNAUTHENTICATED") await renewTokens(token);
      } catch {
        // The stream is opened again below. Errors that concern the user are reported by the queries.
      } finally {
        stopping.signal.removeEventListener("abort", close);
        connection.abort();
        setOpen(false);
      }
      // A random delay, so that clients do not all reconnect at the same moment.
      await sleep(delay * (0.7 + Math.random() * 0.6), stopping.signal);
      delay = Math.min(delay * 2, MAX_RETRY_DELAY);
    }
  }

  function setOpen(open) {
    if (stream.open === open) return;
    stream.open = open;
    if (!stopping.signal.aborted) onStateChange();
  }
}

/** Reads events until the stream ends; returns the code of the last event's error, or null. */
async function readEvents(body, close, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let code = null;
  for (;;) {
    const timer = setTimeout(close, SILENCE_TIMEOUT);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
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
      const result = JSON.parse(data);
      code = result.errors?.[0]?.extensions?.code ?? null;
      onEvent(result);
    }
  }
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
