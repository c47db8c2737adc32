// Checks an offline proof of an entry with npm's @sigstore/verify: the signature of the checkpoint and the inclusion.
// node sigstore.cjs NODE_MODULES VKEY FILE; exit 0: good; 1: not.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const [modules, vkeyFile, proofFile] = process.argv.slice(2);
const part = (name) => require(path.resolve(modules, '@sigstore/verify/dist/tlog', name));
const { verifyCheckpoint } = part('checkpoint.js');
const { verifyMerkleInclusion } = part('merkle.js');

// name+id+base64(type ‖ key): what sigstore knows of a log is the id, a name, and a key of Node's.
function readKey(text) {
	const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.*)\n?$/.exec(text);
	const raw = Buffer.from(encoded, 'base64');
	const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)]);
	return {
		logID: Buffer.from(id, 'hex'),
		baseURL: name,
		publicKey: crypto.createPublicKey({ key: der, format: 'der', type: 'spki' }),
	};
}

function readProof(text) {
	const divide = text.indexOf('\n\n');
	const [first, extra, index, ...hashes] = text.slice(0, divide).split('\n');
	if (first !== 'c2sp.org/tlog-proof@v1') throw new Error('not an offline proof');
	return {
		canonicalizedBody: Buffer.from(extra.slice('extra '.length), 'base64'),
		inclusionProof: {
			logIndex: index.slice('index '.length),
			hashes: hashes.map((hash) => Buffer.from(hash, 'base64')),
			checkpoint: { envelope: text.slice(divide + 2) },
		},
	};
}

try {
	const entry = readProof(fs.readFileSync(proofFile, 'utf8'));
	const checkpoint = verifyCheckpoint(entry, [readKey(fs.readFileSync(vkeyFile, 'utf8'))]);
	verifyMerkleInclusion(entry, checkpoint);
	console.log(`${entry.inclusionProof.logIndex} of ${checkpoint.logSize}`);
} catch (err) {
	console.error(`sigstore: ${err.message}`);
	process.exit(1);
}
