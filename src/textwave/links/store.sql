-- name: link_target
-- Where a code leads; works before any workspace is known.
SELECT id, long_url, expires_at, enabled, allows_private, own_hosts FROM link_target(%(code)s)

-- name: record_clicks
-- Keep clicks, all in one statement.
SELECT record_clicks(%(link_ids)s::bigint[], %(tokens)s::text[], %(methods)s::text[],
                     %(user_agents)s::text[], %(times)s::timestamptz[])
