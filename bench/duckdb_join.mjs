// node bench/duckdb_join.mjs PEOPLE.csv LEAK.csv MODULES: the leaked rows read as UTF-8 and joined in plain text on the telephone
// with the people, who lie in a table already, as those of a house do. Prints `result NAME VALUE` lines.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [people, leak, modules] = process.argv.slice(2);
const { DuckDBInstance } = await import(pathToFileURL(createRequire(`${modules}/`).resolve('@duckdb/node-api')));
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
await connection.run(`create table people as select number, phone from read_csv('${people}', all_varchar = true)`);
let best = Infinity;
for (let run = 0; run < 3; run++) {
	const began = performance.now();
	await connection.run(`create or replace table verdicts as select leaked.*, people.number
		from read_csv('${leak}', all_varchar = true) leaked left join people on leaked.phone = people.phone`);
	const took = (performance.now() - began) / 1000;
	console.error(`DuckDB: ${took.toFixed(2)} s`);
	best = Math.min(best, took);
}
const [[found]] = (await connection.runAndReadAll('select count(number) from verdicts')).getRows();
console.log(`result trace-duckdb-s ${best.toFixed(3)}`);
console.log(`result trace-duckdb-found ${found}`);
