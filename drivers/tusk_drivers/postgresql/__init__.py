"""PostgreSQL over psycopg 3: results by `COPY` under described types, all else by the extended protocol."""
