-- Accounts at platforms are served: a few jobs an account take its batches, in fair turns.

ALTER TABLE batch
    -- not before it; infinity: only what nobody knows is open, or it waits for a decision
    ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(),
    -- the job that has it: until it gives it back, is gone, or that time has come
    ADD COLUMN held_by bigint,
    ADD COLUMN held_until timestamptz;
ALTER TABLE batch SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000
);
DROP INDEX batch_open;
CREATE INDEX batch_begun ON batch (campaign_id, due_at, number) WHERE state = 'prepared';
CREATE INDEX batch_waiting ON batch (campaign_id, due_at, number) WHERE state = 'waiting';

ALTER TABLE platform
    -- the start of the turn that was given last, in messages: where an idle workspace begins again
    ADD COLUMN served bigint NOT NULL DEFAULT 0,
    -- rounds without any answer, and the rest that the account gets for them
    ADD COLUMN failures_in_a_row integer NOT NULL DEFAULT 0 CHECK (failures_in_a_row >= 0),
    ADD COLUMN resting_until timestamptz,
    ADD COLUMN resting_reason text NOT NULL DEFAULT '';
ALTER TABLE platform_workspace ADD COLUMN served bigint NOT NULL DEFAULT 0;
ALTER TABLE signature
    ADD COLUMN rate_per_second integer CHECK (rate_per_second BETWEEN 1 AND 1000000),
    ADD COLUMN free_at timestamptz NOT NULL DEFAULT now();

ALTER TABLE campaign
    ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1 AND 1),
    -- null: the product's default
    ADD COLUMN error_budget_percent smallint CHECK (error_budget_percent BETWEEN 1 AND 100),
    ADD COLUMN error_budget_after integer NOT NULL DEFAULT 100
        CHECK (error_budget_after BETWEEN 1 AND 1000000),
    -- the figures when the budget was last exceeded: it counts from there
    ADD COLUMN budget_answered bigint NOT NULL DEFAULT 0,
    ADD COLUMN budget_failed bigint NOT NULL DEFAULT 0;
CREATE INDEX campaign_sending ON campaign (platform_id) WHERE state = 'sending';
-- Refused for good with the platform's answer: part of failed, never of submitted.
ALTER TABLE campaign_tally ADD COLUMN refused bigint NOT NULL DEFAULT 0;

-- One serving job of an account waits at most; how many run is looked up with every turn.
CREATE INDEX procrastinate_jobs_serving ON procrastinate_jobs (queueing_lock)
    WHERE status = 'doing' AND queueing_lock IS NOT NULL;

-- Let a job serve the account at that moment at the latest; null: at once. A waiting one is touched
-- even if it comes early enough: so it cannot begin before the work that it is for is committed.
CREATE FUNCTION defer_serving(account bigint, moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    FOR tries IN 1 .. 3 LOOP
        UPDATE procrastinate_jobs
        SET scheduled_at = CASE WHEN moment < scheduled_at THEN moment
                                WHEN moment IS NOT NULL THEN scheduled_at END
        WHERE queueing_lock = 'serve-' || account AND status = 'todo';
        IF FOUND THEN
            RETURN;
        END IF;
        BEGIN
            PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
                'dispatch', 'dispatch.serve', CASE WHEN moment IS NULL THEN 0 ELSE 1 END, NULL,
                'serve-' || account, jsonb_build_object('platform_id', account), moment
            )::procrastinate_job_to_defer_v1]);
            RETURN;
        EXCEPTION WHEN unique_violation THEN
            NULL;  -- another was deferred in this moment: it is there now
        END;
    END LOOP;
END $$;

-- What was under way when batches were jobs.
DELETE FROM procrastinate_jobs WHERE task_name = 'dispatch.send_batch';
DO $$
BEGIN
    PERFORM defer_serving(platform_id, NULL) FROM campaign WHERE state = 'sending'
    GROUP BY platform_id;
END $$;
