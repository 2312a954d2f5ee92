-- name: approving_carriers
-- Those that have approved all templates of a campaign: with variants there are several.
WITH said AS (
    SELECT template_id FROM campaign
    WHERE workspace_id = %(workspace_id)s AND id = %(campaign_id)s
    UNION
    SELECT template_id FROM campaign_variant
    WHERE workspace_id = %(workspace_id)s AND campaign_id = %(campaign_id)s
        AND template_id IS NOT NULL
)
SELECT d.carrier FROM digital_carrier d JOIN said USING (template_id)
WHERE d.workspace_id = %(workspace_id)s AND d.state = 'approved'
GROUP BY d.carrier HAVING count(*) = (SELECT count(*) FROM said)

-- name: other_signature
-- A digital template is approved under its signature, so it goes out under no other.
SELECT t.name AS template, t.signature
FROM campaign c
JOIN signature s ON s.id = c.signature_id
JOIN template t ON t.id = c.template_id OR t.id IN (
    SELECT v.template_id FROM campaign_variant v
    WHERE v.workspace_id = c.workspace_id AND v.campaign_id = c.id)
WHERE c.workspace_id = %(workspace_id)s AND c.id = %(campaign_id)s
    AND t.type = 'digital' AND t.signature <> s.name
ORDER BY t.id LIMIT 1
