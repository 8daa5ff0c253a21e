// Mercurius with its JIT, joined SQL and a loader for each level: `node mercurius.js SOCKETS DATABASE PORT`.
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const [host, database, port] = process.argv.slice(2);
pg.types.setTypeParser(20, Number); // bigint
pg.types.setTypeParser(1082, (day) => Date.parse(day) / 86_400_000); // a date becomes a number of days
pg.types.setTypeParser(1184, (moment) => new Date(moment).toISOString());
const pool = new pg.Pool({ host, database, user: "postgres", max: 16 });

// A named query is prepared once per connection.
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const schema = `
  enum CriterionFilter { ALL NON_COMPLETED }
  type Named { id: ID! name: String! }
  type Criterion { id: ID! code: String! description: String! status: String! evidenceCount: Int! }
  type Unit { id: ID! number: String! title: String! criteria(filter: CriterionFilter): [Criterion!]! }
  type Progress { durationPercent: Float! pastPlannedEnd: Boolean! mappedPercent: Float! signedOffPercent: Float! }
  type Aim { id: ID! title: String! assessor: Named trafficLight: String! progress: Progress! units: [Unit!]! }
  type NextSession { id: ID! startsAt: String! type: String! }
  type Learner {
    id: ID! name: String! lastLoginAt: String employer: Named nextSession: NextSession outstandingActionCount: Int!
    aims: [Aim!]!
  }
  type Page { totalCount: Int! nodes: [Learner!]! }
  type Query { learner(id: ID!): Learner learners(overview: ID!, first: Int!, offset: Int!): Page! }
`;

const LEARNER = "select l.id, u.name from learner l join user_account u on u.id = l.user_id where l.id = $1";
const SITES = "select employer_id from overview_allocation where user_id = $1";
const LEARNERS = `
  select l.id, u.name, u.last_login_at, l.employer_id, e.name as employer_name, s.id as session_id, s.starts_at,
         s.type as session_type,
         (select count(*) from action a where a.learner_id = l.id and a.status <> 'COMPLETE') as outstanding,
         (select count(*) from learner where employer_id in (${SITES})) as total
  from learner l
  join user_account u on u.id = l.user_id
  left join employer e on e.id = l.employer_id
  left join lateral (
    select id, starts_at, type from session
    where learner_id = l.id and status = 'PLANNED' and starts_at >= now() order by starts_at, id limit 1
  ) s on true
  where l.employer_id in (${SITES}) order by u.sort_name, l.id limit $2 offset $3`;
const AIMS = `
  select a.id, a.learner_id, q.title, a.status, a.assessor_id, u.name as assessor_name, a.start_date,
         a.planned_end_date, p.criteria_total, p.criteria_mapped, p.criteria_signed_off, p.days_on_break, p.break_since
  from aim a
  join qualification q on q.id = a.qualification_id
  join aim_progress p on p.aim_id = a.id
  left join user_account u on u.id = a.assessor_id
  where a.learner_id = any($1::bigint[]) order by a.learner_id, a.id`;
const CRITERIA = `
  select a.id as aim, u.id as unit, u.number, u.title, c.id, c.code, c.description,
         coalesce(r.evidence_count, 0) as count, coalesce(r.signed_off, false) as signed_off
  from aim a
  join qualification_unit u on u.qualification_id = a.qualification_id
  join qualification_criterion c on c.unit_id = u.id
  left join criterion_progress r on r.aim_id = a.id and r.criterion_id = c.id
  where a.id = any($1::bigint[]) order by a.id, u.position, c.position`;

const tenths = (part, whole) =>
  whole <= 0 || part <= 0 ? 0 : part >= whole ? 1000
    : Math.min(Math.max(Math.floor((2000 * part + whole) / (2 * whole)), 1), 999);
const london = new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/London" });
const today = () => Date.parse(london.format(new Date())) / 86_400_000;

function aimOf(row, day) {
  const until = Math.min(day, row.planned_end_date);
  const open = row.break_since === null ? 0 : Math.max(until - Math.max(row.break_since, row.start_date) + 1, 0);
  const before = row.start_date - 1 + row.days_on_break + open;
  const duration = tenths(until - before, row.planned_end_date - before);
  const mapped = tenths(row.criteria_mapped, row.criteria_total);
  let light = "NOT_RATED";
  if (row.status === "IN_TRAINING" && row.criteria_total) {
    const ahead = mapped - duration;
    light = ahead <= -100 ? "OFF_TRACK" : ahead >= 100 ? "AHEAD" : "ON_TRACK";
  }
  return {
    key: row.id,
    id: `Aim_${row.id}`,
    title: row.title,
    assessor: row.assessor_id === null ? null : { id: `User_${row.assessor_id}`, name: row.assessor_name },
    trafficLight: light,
    progress: {
      durationPercent: duration / 10,
      pastPlannedEnd: day > row.planned_end_date && !["COMPLETED", "WITHDRAWN", "SUSPENDED"].includes(row.status),
      mappedPercent: mapped / 10,
      signedOffPercent: tenths(row.criteria_signed_off, row.criteria_total) / 10,
    },
  };
}

const learnerOf = (row) => ({
  key: row.id,
  id: `Learner_${row.id}`,
  name: row.name,
  lastLoginAt: row.last_login_at,
  employer: row.employer_id === null ? null : { id: `Employer_${row.employer_id}`, name: row.employer_name },
  nextSession:
    row.session_id === null ? null : { id: `Session_${row.session_id}`, startsAt: row.starts_at, type: row.session_type },
  outstandingActionCount: row.outstanding,
});

const resolvers = {
  Query: {
    async learner(_, { id }) {
      const [found] = await rows("learner", LEARNER, [id.replace("Learner_", "")]);
      return found ? { key: found.id, id, name: found.name } : null;
    },
    async learners(_, { overview, first, offset }) {
      const found = await rows("learners", LEARNERS, [overview, first, offset]);
      return { totalCount: found.length ? found[0].total : 0, nodes: found.map(learnerOf) };
    },
  },
};

const loaders = {
  Learner: {
    async aims(queries) {
      const day = today();
      const byLearner = new Map(queries.map(({ obj }) => [obj.key, []]));
      for (const row of await rows("aims", AIMS, [[...byLearner.keys()]])) byLearner.get(row.learner_id).push(aimOf(row, day));
      return queries.map(({ obj }) => byLearner.get(obj.key));
    },
  },
  Aim: {
    async units(queries) {
      const byAim = new Map(queries.map(({ obj }) => [obj.key, []]));
      let unit = null;
      for (const row of await rows("criteria", CRITERIA, [[...byAim.keys()]])) {
        if (unit === null || unit.aim !== row.aim || unit.key !== row.unit) {
          const id = `Unit_${row.aim}.${row.unit}`;
          unit = { aim: row.aim, key: row.unit, id, number: row.number, title: row.title, criteria: [] };
          byAim.get(row.aim).push(unit);
        }
        unit.criteria.push({
          id: `Criterion_${row.aim}.${row.id}`,
          code: row.code,
          description: row.description,
          status: row.signed_off ? "SIGNED_OFF" : row.count ? "IN_PROGRESS" : "NOT_STARTED",
          evidenceCount: row.count,
        });
      }
      return queries.map(({ obj }) => byAim.get(obj.key));
    },
  },
};

const app = Fastify();
// Without the loaders' cache, so that each request reads the database.
const withoutCache = (loader) => Object.fromEntries(Object.entries(loader).map(([name, load]) => [name, { loader: load, opts: { cache: false } }]));
app.register(mercurius, {
  schema,
  resolvers,
  loaders: Object.fromEntries(Object.entries(loaders).map(([type, fields]) => [type, withoutCache(fields)])),
  jit: 1,
  path: "/graphql",
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
