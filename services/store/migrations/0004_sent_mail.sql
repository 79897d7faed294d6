-- Of what is sent, or given up, only the key is of use; codes are in the text.
UPDATE outbox SET message = '' WHERE sent_at IS NOT NULL OR failed_at IS NOT NULL;
