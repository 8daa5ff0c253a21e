"""LIMIT's SQL for the learning plan, the evidence library, the inbox, the diary and the tasks.

Parameters $1 and $2 of a scoped statement are the viewer's user and provider. A statement that is not scoped is bound
to the keys of what a scoped one has returned.
"""

from bench.limit_sql import EMPLOYERS, VISIBLE_LEARNERS

_LEARNER = f"l.id = $3 and l.employer_id in ({EMPLOYERS}) and l.provider_id = $2"

SESSIONS = f"""
select s.id, s.number, s.type, s.status, s.starts_at, s.ends_at, s.planning_notes, s.feedback,
       s.assessor_id, u.name as assessor_name
from learner l
left join session s on s.learner_id = l.id and s.provider_id = $2
left join user_account u on u.id = s.assessor_id
where {_LEARNER}
order by s.number, s.id
limit $4
"""
# Of sessions, not scoped.
ACTIONS = """
select c.id, c.session_id, c.kind, c.title, c.description, c.target_date, c.status, c.learner_feedback, c.minutes_spent,
       c.accepts_evidence, a.status as aim_status,
       (p.break_since <= c.target_date) is true or (c.aim_id is null and exists (
           select 1 from aim o join aim_progress q on q.aim_id = o.id
           where o.learner_id = c.learner_id and o.status not in ('COMPLETED', 'WITHDRAWN')
           having count(*) > 0 and count(q.break_since) = count(*) and max(q.break_since) <= c.target_date)) as on_break
from action c
left join aim a on a.id = c.aim_id
left join aim_progress p on p.aim_id = c.aim_id
where c.session_id = any($1::bigint[])
order by c.target_date, c.id
"""
# Of sessions and of actions, not scoped.
FILES_OF_SESSIONS = """
select s.session_id as owner, f.id, f.name from session_file s join file f on f.id = s.file_id
where s.session_id = any($1::bigint[]) order by f.uploaded_at, f.id
"""
FILES_OF_ACTIONS = """
select a.action_id as owner, f.id, f.name from action_file a join file f on f.id = a.file_id
where a.action_id = any($1::bigint[]) order by f.uploaded_at, f.id
"""

LIBRARY = f"""
select n.name as learner_name, e.id, e.title, e.description, e.status, e.submitted_at, e.assessed_at, e.feedback,
       e.points_for_improvement, e.submitted_by_id, u.name as submitted_by, e.aim_id, q.title as aim_title,
       f.id as file_id, f.name as file_name, f.content_type, f.size, count(e.id) over () as total
from learner l
join user_account n on n.id = l.user_id
left join evidence e on e.learner_id = l.id and e.provider_id = $2
left join user_account u on u.id = e.submitted_by_id
left join aim a on a.id = e.aim_id
left join qualification q on q.id = a.qualification_id
left join file f on f.id = e.file_id
where {_LEARNER}
order by e.submitted_at desc, e.id desc
limit $4
"""
# Of pieces of evidence, not scoped.
MAPPINGS = """
select m.evidence_id, m.aim_id, m.criterion_id, c.code, m.signed_off
from evidence_mapping m join qualification_criterion c on c.id = m.criterion_id
where m.evidence_id = any($1::bigint[])
order by m.evidence_id, m.unit_id, m.criterion_id
"""
SIGNATURES = """
select s.evidence_id, s.role, s.signed_at, s.signed_by_id, u.name
from evidence_signature s join user_account u on u.id = s.signed_by_id
where s.evidence_id = any($1::bigint[])
  and s.version_number = (select max(number) from evidence_version v where v.evidence_id = s.evidence_id)
order by s.signed_at, s.id
"""

# An assessor's: the evidence of the aims where they are the assessor.
INBOX = """
select e.id, e.title, e.status, e.submitted_at, e.aim_id, q.title as aim_title, a.start_date, a.status as aim_status,
       e.learner_id, u.name as learner_name, l.uln, l.employer_id, m.name as employer_name, count(*) over () as total,
       (select v.submitted_at from evidence_version v where v.evidence_id = e.id order by v.number desc limit 1)
           as latest_at
from aim a
join evidence e on e.aim_id = a.id and e.provider_id = $2
join qualification q on q.id = a.qualification_id
join learner l on l.id = e.learner_id
join user_account u on u.id = l.user_id
left join employer m on m.id = l.employer_id
where a.assessor_id = $1 and a.provider_id = $2 and a.status <> 'WITHDRAWN'
  and e.status in ('SUBMITTED', 'RESUBMITTED')
order by e.submitted_at, e.id
limit $3
"""

DIARY = f"""
select s.id, s.type, s.starts_at, s.ends_at, s.location, a.name as assessor_name, s.learner_id, u.name as learner_name,
       count(*) over () as total
from session s
join learner l on l.id = s.learner_id
join user_account u on u.id = l.user_id
join user_account a on a.id = s.assessor_id
where l.employer_id in ({EMPLOYERS}) and l.provider_id = $2 and s.provider_id = $2
  and s.status = 'PLANNED' and s.starts_at >= $3
order by s.starts_at, s.id
limit $4
"""

# What waits for an Employer Overview. $3: the viewer's own learner, $4: whether the role signs units, $5: now.
_STEPS = f"""
with visible as ({VISIBLE_LEARNERS}),
stopped as (
    select learner_id from aim where learner_id in (select id from visible) and provider_id = $2 group by learner_id
    having count(*) filter (where status in ('AWAITING_INDUCTION', 'IN_TRAINING')) = 0
       and (count(*) filter (where status = 'SUSPENDED') > 0 or count(*) filter (where status = 'COMPLETED') = 0)
),
people as (
    select id from visible where id is distinct from $3::bigint and id not in (select learner_id from stopped)
),
running as (
    select id, learner_id, qualification_id from aim
    where learner_id in (select id from visible) and provider_id = $2 and status not in ('WITHDRAWN', 'SUSPENDED')
),
open_slots as (
    select s.learner_id, s.request_id, r.title, r.requested_at
    from signature_slot s join signature_request r on r.id = s.request_id
    where s.learner_id in (select id from people) and s.provider_id = $2 and s.role = 'EMPLOYER_OVERVIEW'
      and s.signed_at is null and r.status = 'PENDING'
      and not exists (select from signature_slot o where o.request_id = s.request_id and o.signed_by_id = $1)
),
complete as (
    select aim_id, unit_id, count(*) as signed_off, max(signed_off_at) as at
    from criterion_progress
    where $4::boolean and signed_off and aim_id in (select id from running) and provider_id = $2
    group by aim_id, unit_id
),
waiting (kind, number, subject, learner, name, since) as (
    select 'SIGN_DOCUMENT', 1, s.request_id, s.learner_id, s.title, s.requested_at from open_slots s
    where not exists (select from review_document d where d.request_id = s.request_id)
    union all
    select 'SIGN_UNIT', 2, c.aim_id * 16777216 + c.unit_id, a.learner_id, u.title, c.at
    from complete c
    join running a on a.id = c.aim_id
    join qualification_unit u on u.id = c.unit_id and u.qualification_id = a.qualification_id
        and u.criterion_count = c.signed_off
    where a.learner_id is distinct from $3::bigint
      and (u.mandatory or exists (select from aim_unit x where x.aim_id = c.aim_id and x.unit_id = c.unit_id))
      and not exists (
          select from unit_signature x where x.aim_id = c.aim_id and x.unit_id = c.unit_id and x.withdrawn_at is null
             and (x.role = 'EMPLOYER_OVERVIEW' or x.signed_by_id = $1 or x.completes_unit))
    union all
    select 'SIGN_REVIEW', 13, v.id, s.learner_id, v.number::text, s.requested_at
    from open_slots s
    join review_document d on d.request_id = s.request_id and d.replaced_at is null
    join review v on v.id = d.review_id and v.provider_id = $2
    union all
    select 'ANSWER_REVIEW', 14, v.id, v.learner_id, v.number::text, greatest(v.started_at, s.starts_at)
    from review v join session s on s.id = v.session_id
    where v.learner_id in (select id from people) and v.provider_id = $2
      and s.status in ('PLANNED', 'ATTENDED') and s.starts_at <= $5::timestamptz
      and not exists (select from review_document d where d.review_id = v.id and d.replaced_at is null)
      and not exists (
          select from review_answer x where x.review_id = v.id
             and (x.role in ('EMPLOYER_MANAGER', 'EMPLOYER_OVERVIEW') or x.answered_by_id = $1))
    union all
    select 'RESUBMIT_EVIDENCE', 4, e.id, e.learner_id, e.title, coalesce(e.returned_at, e.submitted_at)
    from evidence e join running a on a.id = e.aim_id
    where e.provider_id = $2 and e.status = 'RETURNED' and e.submitted_by_id = $1
      and e.learner_id is distinct from $3::bigint
)
"""
TASKS = f"""{_STEPS}
select w.*, u.name as learner_name, w.subject * 32 + w.number as key,
       10000000 + coalesce((w.since at time zone 'Europe/London')::date - date '2000-01-01', 0) as urgency
from waiting w join learner l on l.id = w.learner join user_account u on u.id = l.user_id
order by urgency, key
limit $6
"""
TASK_COUNTS = f"""{_STEPS}
select kind, count(*) as number from waiting group by kind
union all
select 'CONFIRM_TIME', count(*)
from time_log_entry t
where t.learner_id in (select id from visible) and t.provider_id = $2 and t.job_setting = 'OFF_THE_JOB'
  and t.exclusion is null and t.employer_confirmed_at is null and t.learner_id is distinct from $3::bigint
  and (t.aim_id in (select id from running) or (t.aim_id is null and t.learner_id in (select id from people)))
"""
