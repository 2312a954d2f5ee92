-- What the metrics page may count over all workspaces: numbers only, no rows.

CREATE FUNCTION jobs_waiting() RETURNS TABLE (queue text, waiting bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT queue_name::text, count(*) FROM procrastinate_jobs WHERE status = 'todo'
    GROUP BY queue_name
$$;

CREATE FUNCTION messages_of_running_campaigns() RETURNS TABLE (state text, messages bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.state, s.messages
    FROM (
        SELECT sum(t.messages) AS planned, sum(t.submitted) AS submitted,
               sum(t.delivered) AS delivered, sum(t.failed) AS failed
        FROM campaign_tally t JOIN campaign c ON c.id = t.campaign_id
        WHERE c.state IN ('sending', 'paused')
    ) sums,
    LATERAL (VALUES ('planned', coalesce(planned, 0)::bigint),
                    ('submitted', coalesce(submitted, 0)::bigint),
                    ('delivered', coalesce(delivered, 0)::bigint),
                    ('failed', coalesce(failed, 0)::bigint)) AS s(state, messages)
$$;
