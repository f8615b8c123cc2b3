CREATE TABLE projection (applied_seq BIGINT NOT NULL);
INSERT INTO projection VALUES (0);

CREATE TABLE connection (
    id UUID PRIMARY KEY,
    name VARCHAR NOT NULL,
    driver VARCHAR NOT NULL,
    config JSON NOT NULL,
    credential_ref VARCHAR,
    credential_tier VARCHAR,
    credential_state VARCHAR NOT NULL,
    password_command VARCHAR,
    read_only BOOLEAN NOT NULL,
    environment VARCHAR,
    timeout_s DOUBLE,
    memory_limit_mb BIGINT,
    isolation VARCHAR NOT NULL,
    log BOOLEAN NOT NULL,
    fingerprint VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP
);

CREATE TABLE preference (
    name VARCHAR PRIMARY KEY,
    value JSON NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE client_session (
    id VARCHAR PRIMARY KEY,
    source VARCHAR NOT NULL,
    pid BIGINT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);

-- No key: rows come in the order of seq, which the journal gives out once each, and DuckDB's zone maps find them by it.
CREATE TABLE query_log (
    seq BIGINT NOT NULL,
    run VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    session VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    cell VARCHAR,
    connection VARCHAR NOT NULL,
    connection_id VARCHAR NOT NULL,
    driver VARCHAR NOT NULL,
    sql VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    elapsed_ms DOUBLE,
    rows BIGINT,
    affected BIGINT,
    statements BIGINT,
    error VARCHAR,
    code VARCHAR,
    position BIGINT
);
