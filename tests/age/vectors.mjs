// The published vectors of npm's cctv-age against our reader, whole and cut into small pieces. TAP.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { inflateSync } from 'node:zlib'

const [tool, modules] = process.argv.slice(2)
const module = `${modules}/cctv-age/index.js`
if (!existsSync(module)) {
	console.log('1..0 # skipped: scripts/deps.sh installs cctv-age')
	process.exit(0)
}
const found = await import(module)
const vectors = found.default ?? found
// Statuses of ours for what the vectors expect; 10 more than enum az_status.
const statuses = { success: [0], 'no match': [13], 'HMAC failure': [21], 'header failure': [14], 'payload failure': [21] }
let count = 0
let failed = 0
const tell = (good, text) => {
	count++
	failed += good ? 0 : 1
	console.log(`${good ? 'ok' : 'not ok'} ${count} - ${text}`)
}

for (const [name, bytes] of Object.entries(vectors)) {
	const all = Buffer.from(bytes)
	const end = all.indexOf('\n\n')
	const header = Object.create(null)
	const identities = []
	for (const line of all.subarray(0, end).toString().split('\n')) {
		const [key, value] = [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]
		header[key] = value
		if (key === 'identity') identities.push(value)
	}
	let file = all.subarray(end + 2)
	if (header.compressed === 'zlib') file = inflateSync(file)
	// The armour is refused whole; passphrases and the hybrid keys are not ours to open.
	const ours = identities.filter((identity) => identity.startsWith('AGE-SECRET-KEY-1'))
	if (header.armored === 'yes') {
		const run = spawnSync(tool, ['open', ours[0] ?? 'AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0', '4096'], { input: file })
		tell(run.status === 14 && run.stdout.length === 0, `${name}: armoured, refused`)
		continue
	}
	if (ours.length !== 1) continue
	for (const piece of [1000000, 65536, 7]) {
		if (piece === 7 && file.length > 200000) continue
		const run = spawnSync(tool, ['open', ours[0], String(piece)], { input: file, maxBuffer: 1 << 28 })
		const status = statuses[header.expect]
		let good = status.includes(run.status)
		if (header.expect === 'success')
			good &&= createHash('sha256').update(run.stdout).digest('hex') === header.payload
		if (header.expect.endsWith('failure') && header.expect !== 'payload failure' || header.expect === 'no match')
			good &&= run.stdout.length === 0
		tell(good, `${name}: ${header.expect}, in pieces of ${piece}` + (good ? '' : ` (${run.status} ${String(run.stderr).trim()})`))
	}
}
tell(count > 150, `${count} readings`)
console.log(`1..${count}`)
process.exit(failed > 0 ? 1 : 0)
