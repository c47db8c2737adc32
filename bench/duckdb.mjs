// duckdb.mjs LIST: DuckDB's read_csv of a list, every value read, nothing stored. One "result" line; median of three.
import { createRequire } from 'node:module'
import path from 'node:path'
import { performance } from 'node:perf_hooks'

const modules = path.join(import.meta.dirname ?? '.', '..', 'build-npm', 'node_modules', 'x')
const { DuckDBInstance } = createRequire(modules)('@duckdb/node-api')

const connection = await (await DuckDBInstance.create(':memory:')).connect()
const list = process.argv[2].replaceAll("'", "''")
const columns = ['number', 'name', 'kana', 'birth', 'sex', 'postcode', 'address', 'phone', 'mobile', 'email']
const read = `select count(*), ${columns.map((c) => `sum(length(${c}))`).join(', ')} from read_csv('${list}', all_varchar = true)`
const times = []
for (let i = 0; i < 3; i++) {
  const since = performance.now()
  await connection.runAndReadAll(read)
  times.push((performance.now() - since) / 1000)
}
times.sort((a, b) => a - b)
console.error(`DuckDB read_csv: ${times[1].toFixed(2)} s`)
console.log(`result entrust-duckdb-s ${times[1].toFixed(2)}`)
