-- name: write_subject
-- The subject of a digital template, new or changed.
INSERT INTO digital_template (template_id, workspace_id, subject)
VALUES (%(template_id)s, %(workspace_id)s, %(subject)s)
ON CONFLICT (template_id) DO UPDATE SET subject = excluded.subject

-- name: clear_parts
DELETE FROM digital_part
WHERE workspace_id = %(workspace_id)s AND template_id = %(template_id)s

-- name: add_parts
-- The parts in their order: each a text, or a material.
INSERT INTO digital_part (template_id, position, workspace_id, text, material_id)
SELECT %(template_id)s, given.position, %(workspace_id)s, given.text, given.material_id
FROM unnest(%(texts)s::text[], %(material_ids)s::bigint[])
    WITH ORDINALITY AS given (text, material_id, position)

-- name: digital_templates
-- A page of a workspace's digital templates, in the order of their ids.
SELECT t.id, t.workspace_id, t.platform_id, p.name AS platform, t.name, d.subject, t.signature,
    t.content, t.remark, t.state, t.reason, t.code, t.created_at, t.turn_at, t.submitted_at,
    t.decided_at
FROM template t
JOIN digital_template d ON d.template_id = t.id
JOIN platform p ON p.id = t.platform_id
WHERE t.workspace_id = %(workspace_id)s AND t.state <> 'deleted' AND t.id > %(after)s
    AND (%(name)s::text IS NULL OR t.name = %(name)s)
ORDER BY t.id LIMIT %(limit)s

-- name: parts
-- The parts of several templates, in their order.
SELECT p.template_id, p.position, p.text, p.material_id, m.name AS material, m.kind, m.suffix,
    m.size_bytes, m.width, m.height, m.milliseconds, m.codec, m.sha256
FROM digital_part p LEFT JOIN material m ON m.id = p.material_id
WHERE p.workspace_id = %(workspace_id)s AND p.template_id = ANY(%(template_ids)s)
ORDER BY p.template_id, p.position

-- name: files
-- The parts of one template with their content, as they are submitted.
SELECT p.position, p.text, m.suffix, c.content
FROM digital_part p
LEFT JOIN material m ON m.id = p.material_id
LEFT JOIN material_content c ON c.material_id = p.material_id
WHERE p.workspace_id = %(workspace_id)s AND p.template_id = %(template_id)s
ORDER BY p.position

-- name: subject
SELECT subject FROM digital_template
WHERE workspace_id = %(workspace_id)s AND template_id = %(template_id)s

-- name: carriers
-- Where several templates stand at the carriers.
SELECT template_id, carrier, state, reason, changed_at FROM digital_carrier
WHERE workspace_id = %(workspace_id)s AND template_id = ANY(%(template_ids)s)
ORDER BY template_id, carrier

-- name: clear_carriers
-- Nothing is known of a template that is submitted again.
DELETE FROM digital_carrier
WHERE workspace_id = %(workspace_id)s AND template_id = %(template_id)s

-- name: keep_carriers
-- What carriers said; when they say the same again, it is as old as it was.
INSERT INTO digital_carrier (template_id, carrier, workspace_id, state, reason, changed_at)
SELECT %(template_id)s, said.carrier, %(workspace_id)s, said.state, said.reason, %(now)s
FROM unnest(%(carriers)s::text[], %(states)s::text[], %(reasons)s::text[])
    AS said (carrier, state, reason)
ON CONFLICT (template_id, carrier) DO UPDATE
SET state = excluded.state, reason = excluded.reason, changed_at = excluded.changed_at
WHERE (digital_carrier.state, digital_carrier.reason) IS DISTINCT FROM
    (excluded.state, excluded.reason)

-- name: decide
-- What the carriers' answers make of a template under review; no row: somebody was first.
UPDATE template SET state = %(state)s, reason = %(reason)s, decided_at = %(now)s
WHERE workspace_id = %(workspace_id)s AND id = %(template_id)s AND state = ANY(%(sources)s)
    AND submitted_at IS NOT NULL
RETURNING workspace_id, id, name, state

-- name: to_ask
-- A page of what the platforms are to be asked about, for workers: all workspaces. While a carrier
-- has not decided, each every tenth of the time that it has taken so far; then once a day, because
-- an approval can lapse.
SELECT t.id, t.workspace_id, t.platform_id, t.code AS subject
FROM template t
WHERE t.type = 'digital' AND t.state IN ('reviewing', 'approved') AND t.submitted_at IS NOT NULL
    AND t.code IS NOT NULL AND t.id > %(after)s
    AND (t.asked_at IS NULL OR t.asked_at + CASE
        WHEN t.state = 'reviewing' OR EXISTS (
            SELECT FROM digital_carrier c WHERE c.template_id = t.id AND c.state = 'reviewing')
        THEN least(greatest((%(now)s - t.submitted_at) / 10, interval '1 second'),
            interval '10 minutes')
        ELSE interval '1 day' END <= %(now)s)
ORDER BY t.id LIMIT %(limit)s
