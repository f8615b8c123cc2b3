"""PostgreSQL over psycopg 3: results by `COPY` in text form under described types, everything else by the extended protocol."""
