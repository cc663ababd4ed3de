-- The audit chain is written once: neither a bug nor another tool on the same file changes or removes a line unnoticed.
CREATE TRIGGER "AuditRecord_no_update" BEFORE UPDATE ON "AuditRecord" BEGIN SELECT RAISE(ABORT, 'audit records are never changed'); END;
CREATE TRIGGER "AuditRecord_no_delete" BEFORE DELETE ON "AuditRecord" BEGIN SELECT RAISE(ABORT, 'audit records are never removed'); END;
