// The last answer to each query: in memory for the screen, in IndexedDB for a start without a connection. Kept per
// user, forgotten with the sign-in. `at` is the moment (ms) at which the server last said that it stands.

import { keep, read, wipe } from "./kept.js";
import { ask, session } from "./session.js";

const MOST_PAGES = 20;
const answers = new Map();
// What is being asked for at this moment: asked for again meanwhile, it is the same question.
const asking = new Map();
let generation = 0;

function keyOf(name, variables) {
  return `${session?.viewer.id} ${name} ${JSON.stringify(variables)}`;
}

/** The answer at hand: {data, at, etag}, or undefined. */
export function at(name, variables = {}) {
  return answers.get(keyOf(name, variables));
}

/** Brings a kept answer into memory, where there is one; gives it. */
export async function recall(name, variables = {}) {
  const key = keyOf(name, variables);
  if (!answers.has(key)) {
    const kept = await read("answers", key);
    if (kept && !answers.has(key) && key === keyOf(name, variables)) answers.set(key, kept);
  }
  return answers.get(key);
}

/** Asks again; gives the answer. Raises Offline or Refused, and leaves what was there. */
export function refresh(name, variables = {}) {
  const key = keyOf(name, variables);
  if (!asking.has(key))
    asking.set(
      key,
      refreshAlone(key, name, variables).finally(() => asking.delete(key)),
    );
  return asking.get(key);
}

async function refreshAlone(key, name, variables) {
  const mine = generation;
  const before = await recall(name, variables);
  const { same, data, etag } = await ask(name, variables, before?.etag);
  // Somebody else has signed in meanwhile: it is not theirs.
  if (mine !== generation) return answers.get(key);
  const answer = same ? { ...answers.get(key), at: Date.now() } : { data, etag, at: Date.now() };
  answers.set(key, answer);
  await keep("answers", key, answer);
  return answer;
}

/** Every page of a connection, brought into memory: kept ones with `recall`, fresh ones with `refresh`. */
export async function eachPage(how, name, connection) {
  let variables = {};
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await how(name, variables);
    const next = answer && connection(answer.data).pageInfo;
    if (!next?.hasNextPage) return;
    variables = { after: next.endCursor };
  }
}

/** The pages at hand as one: {nodes, totalCount, at (of the oldest)}, or undefined where there is none. */
export function pages(name, connection) {
  let variables = {};
  let answer = at(name, variables);
  if (!answer) return undefined;
  const whole = { nodes: [], totalCount: connection(answer.data).totalCount, at: answer.at };
  for (let page = 0; answer && page < MOST_PAGES; page++) {
    const { nodes, pageInfo } = connection(answer.data);
    whole.nodes.push(...nodes);
    whole.at = Math.min(whole.at, answer.at);
    if (!pageInfo.hasNextPage) break;
    variables = { after: pageInfo.endCursor };
    answer = at(name, variables);
  }
  return whole;
}

/** Changes an answer at hand by `work(data) -> data or null (nothing to change)`; whether it did. */
export function amend(name, variables, work) {
  const key = keyOf(name, variables);
  const answer = answers.get(key);
  const data = answer && work(answer.data);
  if (!data) return false;
  // It is no longer what the tag stands for.
  const amended = { data, etag: null, at: answer.at };
  answers.set(key, amended);
  keep("answers", key, amended);
  return true;
}

/** Changes one node wherever a page of a connection holds it; whether one did. */
export function amendNode(name, connection, node) {
  let variables = {};
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = at(name, variables);
    if (!answer) return false;
    const { nodes, pageInfo } = connection(answer.data);
    const place = nodes.findIndex((each) => each.id === node.id);
    if (place >= 0) {
      nodes[place] = node;
      return amend(name, variables, (data) => data);
    }
    if (!pageInfo.hasNextPage) return false;
    variables = { after: pageInfo.endCursor };
  }
  return false;
}

/** Forgets every answer, in memory and on the device. */
export async function forgetAnswers() {
  generation += 1;
  answers.clear();
  asking.clear();
  await wipe("answers");
}
