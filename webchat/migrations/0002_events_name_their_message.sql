-- What a message looked like before it was edited is not kept (it may have been a vote being made).
-- Pages that are behind load their chats anew.
DELETE FROM event;
ALTER TABLE event ADD COLUMN type TEXT;
ALTER TABLE event ADD COLUMN bot_id INTEGER;
ALTER TABLE event ADD COLUMN message_id INTEGER;
