-- Accounts at platforms are shared among workspaces, get new keys, and are taken away again.

ALTER TABLE platform
    -- the key before the present one still signs callbacks until then
    ADD COLUMN previous_sealed_key bytea,
    ADD COLUMN previous_key_until timestamptz,
    -- nothing new is sent through it; what comes back late is still taken
    ADD COLUMN retired_at timestamptz,
    -- the last callback that was not let in, and why
    ADD COLUMN callback_refused_at timestamptz,
    ADD COLUMN callback_problem text NOT NULL DEFAULT '';

DROP FUNCTION callback_platform(text);
CREATE FUNCTION callback_platform(name_of_platform text)
RETURNS TABLE (id bigint, sealed_key bytea, callback_signing text, previous_sealed_key bytea,
               previous_key_until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, sealed_key, callback_signing, previous_sealed_key, previous_key_until
    FROM platform WHERE name = name_of_platform
$$;

-- Anybody can send a callback that is not let in, so it is noted once in ten seconds at most.
CREATE FUNCTION note_refused_callback(platform_called bigint, problem text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE platform SET callback_refused_at = now(), callback_problem = left(problem, 300)
    WHERE id = platform_called
      AND (callback_refused_at IS NULL OR callback_refused_at < now() - interval '10 seconds')
$$;

-- When the account's last callback came, among the last thousand of all.
CREATE FUNCTION callback_taken_at(account bigint) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT max(received_at) FROM (
        SELECT platform_id, received_at FROM callback_inbox ORDER BY id DESC LIMIT 1000
    ) recent WHERE platform_id = account
$$;

-- Administrators see and change which workspaces of their organization use an account. The policies
-- know the workspace of the transaction alone, so each function looks at its organization.

CREATE FUNCTION current_organization() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM workspace WHERE id = current_workspace()
$$;

CREATE FUNCTION platform_workspaces()
RETURNS TABLE (platform_id bigint, workspace_id bigint, workspace text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT pw.platform_id, w.id, w.name
    FROM platform_workspace pw JOIN workspace w ON w.id = pw.workspace_id
    WHERE w.organization_id = current_organization()
$$;

CREATE FUNCTION workspace_called(name_of_workspace text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM workspace
    WHERE organization_id = current_organization() AND name = name_of_workspace
$$;

CREATE FUNCTION admit_workspace(account bigint, admitted bigint) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO platform_workspace (platform_id, workspace_id)
    SELECT p.id, w.id FROM platform p JOIN workspace w ON w.organization_id = p.organization_id
    WHERE p.id = account AND w.id = admitted AND p.organization_id = current_organization()
    ON CONFLICT DO NOTHING RETURNING true
$$;

-- A campaign under way through an account: of one workspace, or (null) of any.
CREATE FUNCTION campaign_through(account bigint, of_workspace bigint)
RETURNS TABLE (workspace_id bigint, workspace text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT w.id, w.name, c.name
    FROM campaign c JOIN workspace w ON w.id = c.workspace_id
    WHERE c.platform_id = account AND w.organization_id = current_organization()
      AND (of_workspace IS NULL OR w.id = of_workspace)
      AND c.state IN ('reviewing', 'scheduled', 'planning', 'sending', 'paused')
    ORDER BY c.id LIMIT 1
$$;

CREATE FUNCTION withdraw_workspace(account bigint, withdrawn bigint) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM platform_workspace pw USING platform p
    WHERE pw.platform_id = account AND pw.workspace_id = withdrawn AND p.id = account
      AND p.organization_id = current_organization()
    RETURNING true
$$;

-- True: nothing ever used the account, and it is gone. Else it is retired: its name stays taken,
-- since what was sent through it still comes back by that name.
CREATE FUNCTION delete_platform(account bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM platform
    WHERE id = account AND organization_id = current_organization() FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    BEGIN
        DELETE FROM platform_workspace WHERE platform_id = account;
        DELETE FROM platform_nonce WHERE platform_id = account;
        DELETE FROM platform WHERE id = account;
        RETURN true;
    EXCEPTION WHEN foreign_key_violation THEN
        UPDATE platform SET retired_at = coalesce(retired_at, now()) WHERE id = account;
        RETURN false;
    END;
END $$;
