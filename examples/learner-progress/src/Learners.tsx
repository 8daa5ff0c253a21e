// The learners whom the viewer sees, those furthest behind first, a page at a time.
import { useCallback, useEffect, useState } from "react";

import { graphql } from "./gql";
import type { StarterLearnersQuery } from "./gql/graphql";
import { query } from "./session";

const LEARNERS = graphql(`
  query StarterLearners($after: String) {
    learners(first: 20, after: $after, orderBy: POINTS_AHEAD_ASC) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        id
        name
        trafficLight
        employer { name }
        progress { durationPercent mappedPercent signedOffPercent }
      }
    }
  }
`);

type Learner = StarterLearnersQuery["learners"]["nodes"][number];

export function Learners() {
  const [learners, setLearners] = useState<Learner[]>([]);
  const [total, setTotal] = useState<number | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState("");

  const load = useCallback(async (after: string | null) => {
    try {
      const { learners: page } = await query(LEARNERS, { after });
      setLearners((known) => (after === null ? page.nodes : [...known, ...page.nodes]));
      setTotal(page.totalCount);
      setNext(page.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null);
      setProblem("");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }, []);

  useEffect(() => {
    void load(null);
  }, [load]);

  return (
    <main>
      <h1>Learners</h1>
      <p role="status">{total === null ? "Loading" : `${learners.length} of ${total}`}</p>
      <p role="alert">{problem}</p>
      <ul>
        {learners.map((learner) => (
          <li key={learner.id}>
            <h2>{learner.name}</h2>
            <p>
              {learner.trafficLight?.replaceAll("_", " ").toLowerCase() ?? "not in training"}
              {learner.employer ? `, ${learner.employer.name}` : ""}
            </p>
            <Bar label="Time" percent={learner.progress?.durationPercent} />
            <Bar label="Mapped" percent={learner.progress?.mappedPercent} />
            <Bar label="Signed off" percent={learner.progress?.signedOffPercent} />
          </li>
        ))}
      </ul>
      {next !== null && <button onClick={() => load(next)}>More</button>}
    </main>
  );
}

function Bar({ label, percent = 0 }: { label: string; percent?: number }) {
  return (
    <label className="bar">
      {label} <meter min={0} max={100} value={percent} /> {percent} %
    </label>
  );
}
