-- Whoever shows the code says the passphrase: what somebody else asked for is not what its owner gets.
ALTER TABLE proofs DROP COLUMN passphrase;
