/** Brings the schema of a database up to date: `node -C tacit-source tools/postgres/make-template.ts postgres://...` */
import { openDatabase } from '@tacit/server'

const [url = ''] = process.argv.slice(2)
const database = await openDatabase({ path: '', url })
await database.close()
