#!/bin/sh
# Stands where Prisma's command line looks for a schema engine, so that it downloads none (see prisma.config.ts).
echo "this command needs Prisma's schema engine, which Berth does not use; write migrations with: npx tsx prisma/new-migration.ts <name>" >&2
exit 1
