-- Organizations, workspaces, keys, audit, and long-running operations.
-- Two login roles use this schema: the owner (workers) and ${web} (API, console, links, callbacks),
-- for which every policy below applies. The workspace is set per transaction in textwave.workspace.

CREATE FUNCTION current_workspace() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('textwave.workspace', true), '')::bigint $$;

CREATE TABLE installation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organization (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workspace (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organization,
    name text NOT NULL,
    time_zone text NOT NULL DEFAULT 'Asia/Shanghai',
    default_region text NOT NULL DEFAULT 'CN' CHECK (default_region ~ '^[A-Z]{2}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

CREATE TABLE api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

CREATE TABLE audit_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE operation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspace,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed')),
    request jsonb NOT NULL DEFAULT '{}',
    progress jsonb NOT NULL DEFAULT '{}',
    result jsonb,
    problem jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX operation_recent ON operation (workspace_id, id DESC);

-- A key belongs to one workspace; which one is not known before the key is looked up.
CREATE FUNCTION workspace_of_api_key(digest_of_key bytea)
RETURNS TABLE (workspace_id bigint, organization_id bigint, api_key_id bigint, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.workspace_id, w.organization_id, k.id, k.name
    FROM api_key k JOIN workspace w ON w.id = k.workspace_id
    WHERE k.digest = digest_of_key AND k.revoked_at IS NULL
$$;
