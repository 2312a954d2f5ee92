"""The schema of the job engine (Procrastinate), and the one way in which jobs are deferred."""

from procrastinate.schema import SchemaManager
from yoyo import step

DEFER_JOBS = """
-- Defer jobs in the transaction that made them necessary. A job whose queueing lock is taken waits
-- already, so it is left out. A web login may name no workspace but its own.
CREATE FUNCTION defer_jobs(jobs jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    job jsonb;
    deferred integer := 0;
BEGIN
    IF session_user = 'textwave_web' AND EXISTS (
        SELECT FROM jsonb_array_elements(jobs) AS j
        WHERE j -> 'args' ? 'workspace_id'
          AND (j -> 'args' ->> 'workspace_id')::bigint IS DISTINCT FROM current_workspace()
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a job of another workspace';
    END IF;
    SELECT cardinality(procrastinate_defer_jobs_v1(array_agg(ROW(
        j ->> 'queue', j ->> 'task', (j ->> 'priority')::integer, j ->> 'lock', NULL,
        j -> 'args', (j ->> 'at')::timestamptz)::procrastinate_job_to_defer_v1)))
    INTO deferred
    FROM jsonb_array_elements(jobs) AS j WHERE j ->> 'queueing_lock' IS NULL;
    FOR job IN SELECT j FROM jsonb_array_elements(jobs) AS j
               WHERE j ->> 'queueing_lock' IS NOT NULL LOOP
        BEGIN
            PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
                job ->> 'queue', job ->> 'task', (job ->> 'priority')::integer, job ->> 'lock',
                job ->> 'queueing_lock', job -> 'args', (job ->> 'at')::timestamptz
            )::procrastinate_job_to_defer_v1]);
            deferred := coalesce(deferred, 0) + 1;
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END LOOP;
    RETURN coalesce(deferred, 0);
END $$;
"""


# A campaign defers thousands of jobs, each with a lock; looking one up must not grow with them.
# Rows come and go quickly: they are cleaned and measured long before a fifth of them has changed.
TUNING = """
CREATE INDEX procrastinate_jobs_by_lock ON procrastinate_jobs (lock) WHERE lock IS NOT NULL;
ALTER TABLE procrastinate_jobs SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 500
);
"""

steps = [step(SchemaManager.get_schema()), step(DEFER_JOBS), step(TUNING)]
