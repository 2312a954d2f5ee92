-- name: add_link
-- Codes are the installation's, names the workspace's; a taken one adds no row.
INSERT INTO short_link (workspace_id, name, code, long_url, expires_at, allows_private, domain_id)
VALUES (%(workspace_id)s, %(name)s, %(code)s, %(long_url)s, %(expires_at)s, %(allows_private)s,
    %(domain_id)s)
ON CONFLICT DO NOTHING RETURNING id

-- name: links
-- A page of a workspace's short links, in the order of their ids.
SELECT l.id, l.workspace_id, l.name, l.code, d.address AS domain, l.long_url, l.expires_at,
    l.enabled, l.allows_private, l.total_clicks, l.human_clicks, l.created_at
FROM short_link l LEFT JOIN link_domain d ON d.id = l.domain_id
WHERE l.workspace_id = %(workspace_id)s AND l.id > %(after)s
    AND (%(name)s::text IS NULL OR l.name = %(name)s)
ORDER BY l.id LIMIT %(limit)s

-- name: links_of_codes
SELECT l.id, l.workspace_id, l.name, l.code, d.address AS domain, l.long_url, l.expires_at,
    l.enabled, l.allows_private, l.total_clicks, l.human_clicks, l.created_at
FROM short_link l LEFT JOIN link_domain d ON d.id = l.domain_id
WHERE l.workspace_id = %(workspace_id)s AND l.code = ANY(%(codes)s)

-- name: switch_link
-- Turn a link on or off.
UPDATE short_link SET enabled = %(enabled)s
WHERE workspace_id = %(workspace_id)s AND name = %(name)s AND enabled <> %(enabled)s
RETURNING id

-- name: set_expiry
-- Let a link end at another time; no row when it ends then already.
UPDATE short_link SET expires_at = %(expires_at)s
WHERE workspace_id = %(workspace_id)s AND name = %(name)s AND expires_at <> %(expires_at)s
RETURNING id

-- name: clicks
-- A page of a link's clicks, newest first, with whose they are as long as the ledger has them.
SELECT k.id, k.clicked_at, k.human, k.judged_by, c.name AS campaign, k.message_id, m.mobile
FROM click k
LEFT JOIN campaign c ON c.id = k.campaign_id AND c.workspace_id = k.workspace_id
LEFT JOIN message m ON m.id = k.message_id AND m.workspace_id = k.workspace_id
WHERE k.workspace_id = %(workspace_id)s AND k.link_id = %(link_id)s
    AND (%(before)s::bigint IS NULL OR k.id < %(before)s)
    AND (NOT %(only_human)s OR k.human)
ORDER BY k.id DESC LIMIT %(limit)s

-- name: domains
-- The domains of a workspace's organization, the default one first.
SELECT d.id, d.host, d.address, d.is_default,
    (SELECT count(*) FROM short_link l WHERE l.domain_id = d.id) AS links, d.created_at,
    d.retired_at
FROM link_domain d
WHERE d.organization_id = (SELECT organization_id FROM workspace WHERE id = %(workspace_id)s)
    AND (%(host)s::text IS NULL OR d.host = %(host)s)
ORDER BY d.is_default DESC, d.retired_at IS NOT NULL, d.host LIMIT %(limit)s

-- name: addresses
-- What short links of the organization begin with, also retired domains.
SELECT d.address FROM link_domain d
WHERE d.organization_id = (SELECT organization_id FROM workspace WHERE id = %(workspace_id)s)
ORDER BY d.id

-- name: domain_for_new_links
-- The domain of that name, or without one the default; a retired one gets no links.
SELECT d.id FROM link_domain d
WHERE d.organization_id = (SELECT organization_id FROM workspace WHERE id = %(workspace_id)s)
    AND d.retired_at IS NULL
    AND CASE WHEN %(host)s::text IS NULL THEN d.is_default ELSE d.host = %(host)s END

-- name: hold_domains
-- One change of domains at a time, also of those who count them.
SELECT pg_advisory_xact_lock(hashtextextended('link domains', 0))

-- name: put_domain
-- Add a domain, or take a retired one up again, also with another scheme. That of another
-- organization gives no row.
INSERT INTO link_domain (organization_id, host, address)
SELECT organization_id, %(host)s, %(address)s FROM workspace WHERE id = %(workspace_id)s
ON CONFLICT (host) DO UPDATE SET address = excluded.address, retired_at = NULL
    WHERE link_domain.organization_id = excluded.organization_id
RETURNING id

-- name: clear_default
UPDATE link_domain SET is_default = false
WHERE organization_id = (SELECT organization_id FROM workspace WHERE id = %(workspace_id)s)
    AND is_default

-- name: set_default
UPDATE link_domain SET is_default = true
WHERE organization_id = (SELECT organization_id FROM workspace WHERE id = %(workspace_id)s)
    AND host = %(host)s AND retired_at IS NULL
RETURNING id

-- name: retire_domain
UPDATE link_domain SET retired_at = %(now)s, is_default = false
WHERE organization_id = (SELECT organization_id FROM workspace WHERE id = %(workspace_id)s)
    AND host = %(host)s AND retired_at IS NULL
RETURNING id
