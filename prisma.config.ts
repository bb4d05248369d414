import { defineConfig } from 'prisma/config';

/** Only `prisma generate` reads this; the server connects by DATABASE_URL and applies prisma/migrations itself. */
export default defineConfig({ schema: 'prisma/schema.prisma' });
