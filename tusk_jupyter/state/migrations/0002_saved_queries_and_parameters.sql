CREATE TABLE saved_query (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    sql VARCHAR NOT NULL,
    connection VARCHAR,
    description VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- A JSON object: name of a bound parameter to its value as text; NULL without one.
ALTER TABLE query_log ADD COLUMN parameters VARCHAR;

-- Deletions from the query log whose text may still stand in the journal or in the state file.
CREATE TABLE log_scrub (
    seq BIGINT PRIMARY KEY,
    ranges JSON NOT NULL
);
