-- PostGraphile's schema: views for the progress map and the dashboard, as its documentation recommends.
create schema if not exists bench_graph;

create or replace function bench_graph.tenths(part bigint, whole bigint) returns integer language sql immutable
return case when whole <= 0 or part <= 0 then 0 when part >= whole then 1000
            else ((2000 * part + whole) / (2 * whole))::integer end;

create or replace view bench_graph.learner as
select l.id as key, 'Learner_' || l.id as graph_id, u.name
from public.learner l join public.user_account u on u.id = l.user_id;
comment on view bench_graph.learner is '@primaryKey key';

create or replace view bench_graph.aim as
select a.id as key, a.learner_id as learner_key, 'Aim_' || a.id as graph_id, q.title,
       'User_' || a.assessor_id as assessor_id, u.name as assessor_name, d.duration / 10.0::float8 as duration_percent,
       (now() at time zone 'Europe/London')::date > a.planned_end_date and a.status not in ('COMPLETED', 'WITHDRAWN', 'SUSPENDED')
           as past_planned_end,
       m.mapped / 10.0::float8 as mapped_percent,
       bench_graph.tenths(p.criteria_signed_off, p.criteria_total) / 10.0::float8 as signed_off_percent,
       case when a.status <> 'IN_TRAINING' or p.criteria_total = 0 then 'NOT_RATED'
            when m.mapped - d.duration <= -100 then 'OFF_TRACK'
            when m.mapped - d.duration >= 100 then 'AHEAD' else 'ON_TRACK' end as traffic_light
from public.aim a
join public.qualification q on q.id = a.qualification_id
join public.aim_progress p on p.aim_id = a.id
left join public.user_account u on u.id = a.assessor_id
cross join lateral (select bench_graph.tenths(p.criteria_mapped, p.criteria_total) as mapped) m
cross join lateral (
    select p.days_on_break + case when p.break_since is null then 0 else greatest(
               least((now() at time zone 'Europe/London')::date, a.planned_end_date)
               - greatest(p.break_since, a.start_date) + 1, 0) end as days
) b
cross join lateral (
    select bench_graph.tenths(
        least((now() at time zone 'Europe/London')::date, a.planned_end_date) - a.start_date + 1 - b.days,
        a.planned_end_date - a.start_date + 1 - b.days) as duration
) d;
comment on view bench_graph.aim is E'@primaryKey key\n@foreignKey (learner_key) references bench_graph.learner (key)\n@foreignKey (learner_key) references bench_graph.dashboard_learner (key)|@fieldName dashboardLearner|@foreignFieldName dashboardAims';

create or replace view bench_graph.unit as
select a.id as aim_key, u.id as unit_key, 'Unit_' || a.id || '.' || u.id as graph_id, u.number, u.title, u.position
from public.aim a join public.qualification_unit u on u.qualification_id = a.qualification_id;
comment on view bench_graph.unit is E'@primaryKey aim_key,unit_key\n@foreignKey (aim_key) references bench_graph.aim (key)';

create or replace view bench_graph.criterion as
select a.id as aim_key, c.unit_id as unit_key, c.id as criterion_key, 'Criterion_' || a.id || '.' || c.id as graph_id,
       c.code, c.description, c.position, coalesce(r.evidence_count, 0) as evidence_count,
       case when r.signed_off then 'SIGNED_OFF' when r.evidence_count > 0 then 'IN_PROGRESS' else 'NOT_STARTED' end as status
from public.aim a
join public.qualification_criterion c on c.qualification_id = a.qualification_id
left join public.criterion_progress r on r.aim_id = a.id and r.criterion_id = c.id;
comment on view bench_graph.criterion is E'@primaryKey aim_key,criterion_key\n@foreignKey (aim_key, unit_key) references bench_graph.unit (aim_key, unit_key)';

create or replace view bench_graph.dashboard_learner as
select l.id as key, 'Learner_' || l.id as graph_id, u.name, u.sort_name, u.last_login_at,
       'Employer_' || l.employer_id as employer_id, e.name as employer_name,
       'Session_' || s.id as session_id, s.starts_at, s.type as session_type,
       (select count(*)::integer from public.action x where x.learner_id = l.id and x.status <> 'COMPLETE') as outstanding
from public.learner l
join public.user_account u on u.id = l.user_id
left join public.employer e on e.id = l.employer_id
left join lateral (
    select id, starts_at, type from public.session
    where learner_id = l.id and status = 'PLANNED' and starts_at >= now() order by starts_at, id limit 1
) s on true;
comment on view bench_graph.dashboard_learner is '@primaryKey key';

create or replace function bench_graph.learners_of(overview bigint) returns setof bench_graph.dashboard_learner
language sql stable rows 200 as $$
    select d.* from bench_graph.dashboard_learner d join public.learner l on l.id = d.key
    where l.employer_id in (select employer_id from public.overview_allocation where user_id = overview)
    order by d.sort_name, d.key
$$;
