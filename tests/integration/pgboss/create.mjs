// Lets the real pg-boss in <folder>/node_modules create its schema and queues:
//   node create.mjs FOLDER CONNECTION_STRING SCHEMA QUEUE=POLICY...
// QUEUE=fetch takes jobs off the queue instead, prints them and completes them; QUEUE=schedule
// writes the schedule that jobs_verbs_test compares with.
import { createRequire } from 'node:module'

const [folder, connectionString, schema, ...queues] = process.argv.slice(2)
const found = createRequire(folder + '/package.json')('pg-boss')
const PgBoss = found.PgBoss ?? found.default ?? found
const boss = new PgBoss({ connectionString, schema, supervise: false, schedule: false })
boss.on('error', (error) => { console.error(error); process.exitCode = 1 })
await boss.start()
for (const queue of queues) {
  const [name, policy] = queue.split('=')
  if (policy === 'fetch') {
    const jobs = await boss.fetch(name)
    for (const job of jobs ?? []) {
      console.log(JSON.stringify({ id: job.id, data: job.data }))
      await boss.complete(name, job.id)
    }
  } else if (policy === 'schedule') {
    await boss.schedule(name, '1 2 3 4 5', { from: 'rtctl' }, { tz: 'Europe/Berlin' })
  } else {
    await boss.createQueue(name, { name, policy, retryLimit: 7, retryBackoff: true })
  }
}
await boss.stop({ graceful: false })
