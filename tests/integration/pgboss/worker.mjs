// A real worker of the pg-boss in <folder>/node_modules, until SIGTERM:
//   node worker.mjs FOLDER CONNECTION_STRING SCHEMA JSON
// JSON: {"queues": {"mail": {"retryLimit": 1}}, "workers": {"mail": 2}, "schedule": false}
// A job's data says what happens to it: {"sleep": ms}, {"wait": "file that must appear"},
// {"fail": n} (its first n attempts), {"result": value}. Prints "ready", then "start ID running"
// and "end ID" for each attempt.
import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'

const [folder, connectionString, schema, json] = process.argv.slice(2)
const plan = JSON.parse(json)
const found = createRequire(folder + '/package.json')('pg-boss')
const PgBoss = found.PgBoss ?? found.default ?? found
const boss = new PgBoss({
  connectionString, schema, supervise: false, schedule: plan.schedule === true,
  cronMonitorIntervalSeconds: 1, cronWorkerIntervalSeconds: 1
})
boss.on('error', (error) => console.log('error', error.message))
await boss.start()
for (const [name, options] of Object.entries(plan.queues)) {
  await boss.createQueue(name, { name, policy: 'standard', ...options })
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
let running = 0

async function attempt (job) {
  const data = job.data ?? {}
  console.log('start', job.id, ++running)
  try {
    if (data.sleep) await pause(data.sleep)
    while (data.wait && !existsSync(data.wait)) await pause(20)
    if (data.fail > job.retryCount) throw new Error(`attempt ${job.retryCount} failed`)
    return data.result
  } finally {
    --running
    console.log('end', job.id)
  }
}

for (const [name, count] of Object.entries(plan.workers)) {
  const options = { pollingIntervalSeconds: 0.5, batchSize: 1, includeMetadata: true }
  for (let i = 0; i < count; ++i) {
    await boss.work(name, options, async ([job]) => attempt(job))
  }
}
process.on('SIGTERM', async () => {
  await boss.stop({ graceful: false })
  process.exit(0)
})
console.log('ready')
