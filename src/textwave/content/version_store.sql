-- name: add_version
-- What is submitted, numbered from 1.
INSERT INTO template_version (workspace_id, template_id, number, content, remark, submitted_by,
    submitted_at)
SELECT %(workspace_id)s, %(template_id)s, coalesce(max(number), 0) + 1, %(content)s, %(remark)s,
    %(submitted_by)s, %(now)s
FROM template_version WHERE template_id = %(template_id)s AND workspace_id = %(workspace_id)s

-- name: version_handed_over
-- The platform has the newest version.
UPDATE template_version v SET handed_over_at = %(now)s, code = %(code)s
WHERE v.workspace_id = %(workspace_id)s AND v.template_id = %(template_id)s AND v.decision IS NULL

-- name: decide_versions
-- What became of the open version of each of the templates.
UPDATE template_version v SET decision = %(decision)s, reason = t.reason, decided_at = %(now)s
FROM template t
WHERE v.template_id = ANY(%(template_ids)s) AND t.id = v.template_id
    AND t.workspace_id = v.workspace_id AND v.decision IS NULL

-- name: versions
-- The newest versions of a template.
SELECT number, content, remark, submitted_by, submitted_at, handed_over_at, code, decision, reason,
    decided_at
FROM template_version
WHERE workspace_id = %(workspace_id)s AND template_id = %(template_id)s
ORDER BY number DESC LIMIT %(limit)s
