"""LIMIT's SQL. Parameters $1 and $2 of a scoped statement are the viewer's user and provider."""

SIGNED_IN = """
select s.id as sign_in_id, s.role, s.started_at, s.wrote_at, u.id as user_id, u.provider_id, u.username, u.name,
       u.email, u.last_login_at, u.must_change_password, u.disclaimer_accepted, l.id as learner_id, p.disclaimer,
       p.disclaimer_version, p.traffic_light_tolerance, p.rated_from_percent, p.review_interval_weeks, p.unit_signatures
from sign_in s
join user_account u on u.id = s.user_id
join provider p on p.id = u.provider_id
join role_grant g on g.user_id = u.id and g.role = s.role
left join learner l on l.user_id = u.id
where s.id = $1 and s.user_id = $2 and s.role = $3 and s.ended_at is null and s.expires_at > $4
  and u.archived_at is null
"""

EMPLOYERS = "select employer_id from overview_allocation where user_id = $1 and provider_id = $2"
VISIBLE_LEARNERS = f"select id from learner where employer_id in ({EMPLOYERS}) and provider_id = $2"

LEARNER = f"""
select u.name from learner l join user_account u on u.id = l.user_id
where l.id = $3 and l.employer_id in ({EMPLOYERS}) and l.provider_id = $2
"""

AIMS = f"""
select a.id, a.learner_id, q.title, a.status, a.assessor_id, u.name as assessor_name, a.start_date, a.planned_end_date,
       p.criteria_total, p.criteria_mapped, p.criteria_signed_off, p.days_on_break, p.break_since
from aim a
join qualification q on q.id = a.qualification_id
join aim_progress p on p.aim_id = a.id
left join user_account u on u.id = a.assessor_id
where a.learner_id = any($3::bigint[]) and a.learner_id in ({VISIBLE_LEARNERS}) and a.provider_id = $2
order by a.learner_id, a.id
"""

# Not scoped: $1 are aims that AIMS has returned.
CRITERIA = """
select a.id, u.id, u.number, u.title, c.id, c.code, c.description, coalesce(r.evidence_count, 0),
       coalesce(r.signed_off, false)
from aim a
join qualification_unit u on u.qualification_id = a.qualification_id
join qualification_criterion c on c.unit_id = u.id
left join criterion_progress r on r.aim_id = a.id and r.criterion_id = c.id
where a.id = any($1::bigint[])
order by a.id, u.position, c.position
"""

_LEARNERS = f"""
select l.id, u.name, u.sort_name, u.last_login_at, l.employer_id, e.name as employer_name,
       s.id as session_id, s.starts_at, s.type as session_type,
       (select count(*) from action a where a.learner_id = l.id and a.provider_id = $2 and a.status <> 'COMPLETE')
           as outstanding,
       (select count(*) from learner where employer_id in ({EMPLOYERS}) and provider_id = $2) as total
from learner l
join user_account u on u.id = l.user_id
left join employer e on e.id = l.employer_id
left join lateral (
    select id, starts_at, type from session
    where learner_id = l.id and status = 'PLANNED' and starts_at >= $3 and provider_id = $2
    order by starts_at, id limit 1
) s on true
where l.employer_id in ({EMPLOYERS}) and l.provider_id = $2 {{after}}
order by u.sort_name, l.id
limit $4
"""
LEARNERS = _LEARNERS.format(after="")
LEARNERS_AFTER = _LEARNERS.format(after="and (u.sort_name, l.id) > ($5, $6)")

AWAITING_SIGNATURE = f"""
select count(*) from signature_slot s join signature_request r on r.id = s.request_id
where s.learner_id in ({VISIBLE_LEARNERS}) and s.provider_id = $2 and s.role = 'EMPLOYER_OVERVIEW'
  and s.signed_at is null and r.status = 'PENDING'
"""

_TENTHS = """
case when {whole} <= 0 or {part} <= 0 then 0 when {part} >= {whole} then 1000
     else (2000::bigint * {part} + {whole}) / (2 * {whole}) end
"""
KPIS = f"""
with visible as ({VISIBLE_LEARNERS}),
aims as (
    select a.status, a.planned_end_date, p.criteria_total, p.criteria_mapped, p.criteria_signed_off,
           {_TENTHS.format(part="p.criteria_mapped", whole="p.criteria_total")} as mapped,
           {
    _TENTHS.format(
        part="(least($3::date, a.planned_end_date) - a.start_date + 1 - b.days)",
        whole="(a.planned_end_date - a.start_date + 1 - b.days)",
    )
} as duration
    from aim a join aim_progress p on p.aim_id = a.id
    cross join lateral (select p.days_on_break + case when p.break_since is null then 0 else greatest(
        least($3::date, a.planned_end_date) - greatest(p.break_since, a.start_date) + 1, 0) end as days) b
    where a.learner_id in (select id from visible) and a.provider_id = $2 and a.status <> 'WITHDRAWN'
),
rated as (select *, status = 'IN_TRAINING' and criteria_total > 0 and duration >= $5::int as is_rated from aims),
sums as (
    select count(*) as aims,
           count(*) filter (where is_rated and mapped - duration <= -$4::int) as off_track,
           count(*) filter (where is_rated and mapped - duration >= $4::int and mapped - duration > -$4::int) as ahead,
           count(*) filter (where not is_rated) as not_rated,
           count(*) filter (where $3::date > planned_end_date and status not in ('COMPLETED', 'SUSPENDED')) as past_end,
           coalesce(sum(criteria_total), 0) as criteria, coalesce(sum(criteria_mapped), 0) as mapped,
           coalesce(sum(criteria_signed_off), 0) as signed_off,
           coalesce(sum(duration), 0)::bigint as duration
    from rated
)
select (select count(*) from (
           select bool_or(a.status not in ('COMPLETED', 'WITHDRAWN')) as is_open, count(a.id) as aims
           from visible v left join aim a on a.learner_id = v.id and a.provider_id = $2 group by v.id
       ) l where is_open or l.aims = 0) as learners,
       sums.*,
       (select count(*) from action c left join aim a on a.id = c.aim_id left join aim_progress p on p.aim_id = c.aim_id
           where c.learner_id in (select id from visible) and c.provider_id = $2
             and c.status <> 'COMPLETE' and c.target_date < $3::date and a.status is distinct from 'WITHDRAWN'
             and (p.break_since <= c.target_date) is not true
             and (c.aim_id is not null or not exists (
                 select 1 from aim o join aim_progress q on q.aim_id = o.id
                 where o.learner_id = c.learner_id and o.status not in ('COMPLETED', 'WITHDRAWN')
                 having count(*) > 0 and count(q.break_since) = count(*) and max(q.break_since) <= c.target_date))
       ) as overdue,
       (select count(*) from signature_slot s join signature_request r on r.id = s.request_id
           where s.learner_id in (select id from visible) and s.provider_id = $2 and s.role = 'EMPLOYER_OVERVIEW'
             and s.signed_at is null and r.status = 'PENDING') as awaiting_signature
from sums
"""
