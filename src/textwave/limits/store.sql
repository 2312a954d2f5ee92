-- name: policy
-- How the workspace sends; the defaults where nobody has said anything.
SELECT w.time_zone, coalesce(p.counts_by, 'number') AS counts_by,
       coalesce(p.keeps_customers, false) AS keeps_customers, p.quiet_from, p.quiet_until,
       coalesce(p.quiet_zone, 'workspace') AS quiet_zone
FROM workspace w LEFT JOIN sending_policy p ON p.workspace_id = w.id
WHERE w.id = %(workspace_id)s

-- name: set_quiet
-- Set or remove the daily quiet hours.
INSERT INTO sending_policy (workspace_id, quiet_from, quiet_until, quiet_zone)
VALUES (%(workspace_id)s, %(quiet_from)s, %(quiet_until)s, %(quiet_zone)s)
ON CONFLICT (workspace_id) DO UPDATE SET quiet_from = excluded.quiet_from,
    quiet_until = excluded.quiet_until, quiet_zone = excluded.quiet_zone

-- name: keep_customers
-- From now on touches are written with their customer, or not any more.
INSERT INTO sending_policy (workspace_id, keeps_customers)
VALUES (%(workspace_id)s, %(keeps_customers)s)
ON CONFLICT (workspace_id) DO UPDATE SET keeps_customers = excluded.keeps_customers,
    counts_by = CASE WHEN excluded.keeps_customers THEN sending_policy.counts_by
                     ELSE 'number' END

-- name: count_by_customer
-- Begin to count by customer, unless somebody has gone back to numbers meanwhile.
UPDATE sending_policy SET counts_by = 'customer'
WHERE workspace_id = %(workspace_id)s AND keeps_customers

-- name: holidays
-- All holidays, in their order.
SELECT id, name, begins, ends FROM holiday WHERE workspace_id = %(workspace_id)s
ORDER BY begins, id

-- name: add_holiday
INSERT INTO holiday (workspace_id, name, begins, ends)
VALUES (%(workspace_id)s, %(name)s, %(begins)s, %(ends)s)
ON CONFLICT (workspace_id, name) DO NOTHING
RETURNING id

-- name: delete_holiday
DELETE FROM holiday WHERE workspace_id = %(workspace_id)s AND name = %(name)s RETURNING id

-- name: rules
-- Fatigue rules with the signatures that each counts; the global one first.
SELECT r.id, r.name, r.is_global, r.per_minute, r.per_hour, r.per_day, r.per_week, r.per_month,
       r.changed_at, coalesce(s.names, '{}') AS signatures, coalesce(s.platforms, '{}') AS platforms
FROM fatigue_rule r
LEFT JOIN LATERAL (
    SELECT array_agg(s.name ORDER BY p.name, s.name) AS names,
           array_agg(p.name ORDER BY p.name, s.name) AS platforms
    FROM fatigue_rule_signature rs JOIN signature s ON s.id = rs.signature_id
    JOIN platform p ON p.id = s.platform_id
    WHERE rs.rule_id = r.id AND rs.workspace_id = r.workspace_id
) s ON true
WHERE r.workspace_id = %(workspace_id)s AND (%(name)s::text IS NULL OR r.name = %(name)s)
ORDER BY NOT r.is_global, r.name

-- name: set_rule
-- Add a rule or change the one of that name; no row when another rule is the global one.
INSERT INTO fatigue_rule AS r (workspace_id, name, is_global, per_minute, per_hour, per_day,
                               per_week, per_month, changed_at)
SELECT %(workspace_id)s, %(name)s, %(is_global)s, %(per_minute)s, %(per_hour)s, %(per_day)s,
       %(per_week)s, %(per_month)s, %(now)s
WHERE NOT (%(is_global)s AND EXISTS (
    SELECT FROM fatigue_rule o
    WHERE o.workspace_id = %(workspace_id)s AND o.is_global AND o.name <> %(name)s))
ON CONFLICT (workspace_id, name) DO UPDATE SET is_global = excluded.is_global,
    per_minute = excluded.per_minute, per_hour = excluded.per_hour, per_day = excluded.per_day,
    per_week = excluded.per_week, per_month = excluded.per_month, changed_at = excluded.changed_at
RETURNING id

-- name: clear_signatures
DELETE FROM fatigue_rule_signature WHERE workspace_id = %(workspace_id)s AND rule_id = %(rule_id)s

-- name: taken_signatures
-- Which of the signatures are in another rule, and in which.
SELECT s.name AS signature, r.name AS rule
FROM fatigue_rule_signature rs JOIN fatigue_rule r ON r.id = rs.rule_id
JOIN signature s ON s.id = rs.signature_id
WHERE rs.workspace_id = %(workspace_id)s AND rs.signature_id = ANY(%(signature_ids)s::bigint[])
  AND r.name <> %(name)s
ORDER BY s.name

-- name: add_signatures
INSERT INTO fatigue_rule_signature (signature_id, rule_id, workspace_id)
SELECT DISTINCT signature_id, %(rule_id)s, %(workspace_id)s
FROM unnest(%(signature_ids)s::bigint[]) AS signature_id

-- name: delete_rule
DELETE FROM fatigue_rule WHERE workspace_id = %(workspace_id)s AND name = %(name)s RETURNING id

-- name: in_force
-- All that the gate has to know of a workspace and a signature, at once.
SELECT w.time_zone, coalesce(p.counts_by, 'number') AS counts_by,
       coalesce(p.keeps_customers, false) AS keeps_customers, p.quiet_from, p.quiet_until,
       coalesce(p.quiet_zone, 'workspace') AS quiet_zone,
       h.names AS holiday_names, h.begins AS holiday_begins, h.ends AS holiday_ends,
       (SELECT ARRAY[r.per_minute, r.per_hour, r.per_day, r.per_week, r.per_month]
        FROM fatigue_rule r WHERE r.workspace_id = w.id AND r.is_global) AS global_limits,
       own.limits AS signature_limits, own.signature_ids,
       EXISTS (SELECT FROM allowlist_number a WHERE a.workspace_id = w.id) AS has_allowlist
FROM workspace w
LEFT JOIN sending_policy p ON p.workspace_id = w.id
LEFT JOIN LATERAL (
    SELECT array_agg(name) AS names, array_agg(begins) AS begins, array_agg(ends) AS ends
    FROM holiday WHERE workspace_id = w.id
) h ON true
LEFT JOIN LATERAL (
    SELECT ARRAY[r.per_minute, r.per_hour, r.per_day, r.per_week, r.per_month] AS limits,
           (SELECT array_agg(o.signature_id) FROM fatigue_rule_signature o
            WHERE o.rule_id = r.id) AS signature_ids
    FROM fatigue_rule_signature s JOIN fatigue_rule r ON r.id = s.rule_id
    WHERE s.workspace_id = w.id AND s.signature_id = %(signature_id)s AND NOT r.is_global
) own ON true
WHERE w.id = %(workspace_id)s
