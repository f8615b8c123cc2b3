-- Whether the connection's database file has been seen at its path: from then on no run makes a new one there. A connection
-- of before that was used had its file.
ALTER TABLE connection ADD COLUMN file_seen BOOLEAN;
UPDATE connection SET file_seen = (last_used_at IS NOT NULL);
