-- Short links under the organization's own domains.

CREATE TABLE link_domain (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organization,
    -- as browsers compare it, with a port that is not usual
    host text NOT NULL UNIQUE CHECK (host ~ '^[a-z0-9._:-]+$' AND length(host) <= 100),
    address text NOT NULL CHECK (address IN ('https://' || host, 'http://' || host)),
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CHECK (NOT (is_default AND retired_at IS NOT NULL))
);
CREATE UNIQUE INDEX link_domain_default ON link_domain (organization_id) WHERE is_default;
ALTER TABLE link_domain ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_organization ON link_domain TO textwave_web
    USING (organization_id = (SELECT organization_id FROM workspace w
                              WHERE w.id = current_workspace()))
    WITH CHECK (organization_id = (SELECT organization_id FROM workspace w
                                   WHERE w.id = current_workspace()));
GRANT SELECT, INSERT, UPDATE ON link_domain TO textwave_web;

-- What was made before was checked then: it keeps working wherever it leads.
ALTER TABLE short_link
    ADD COLUMN domain_id bigint REFERENCES link_domain,
    ADD COLUMN allows_private boolean NOT NULL DEFAULT true;
ALTER TABLE short_link ALTER COLUMN allows_private SET DEFAULT false;
CREATE INDEX short_link_of_domain ON short_link (domain_id) WHERE domain_id IS NOT NULL;
CREATE INDEX click_of_link ON click (link_id, id DESC);

-- The redirect looks again where a link leads, and not at itself.
DROP FUNCTION link_target(text);
CREATE FUNCTION link_target(code_of_link text)
RETURNS TABLE (id bigint, workspace_id bigint, long_url text, expires_at timestamptz,
               enabled boolean, allows_private boolean, own_hosts text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, workspace_id, long_url, expires_at, enabled, allows_private,
           ARRAY(SELECT host FROM link_domain)
    FROM short_link WHERE code = code_of_link
$$;

-- A new key of click tokens is added beside the old ones.
GRANT INSERT ON token_key TO textwave_web;
